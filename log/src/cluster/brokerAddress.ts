import type { BrokerAddress } from '../wire/connection.ts';

/** Reads `host:port` or `[::1]:port`; the port is 9092 unless given. */
export function parseBrokerAddress(text: string): BrokerAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const port = Number(match?.[3] ?? 9092);
  if (!match || port < 1 || port > 65_535)
    throw new TypeError(`"${text}" is not a broker address: host:port is wanted`);
  return { host: (match[1] ?? match[2])!, port };
}
