import { z } from 'zod';

const host = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})$/;

/** `host:port`, separated by commas: names, IPv4 addresses, or IPv6 addresses in brackets. Empty: none. */
export const workerAddresses = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ''))
  .refine((parts) => parts.every(isAddress), 'must be host:port, separated by commas');

function isAddress(text: string): boolean {
  const port = Number(host.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}
