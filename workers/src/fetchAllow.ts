import { BlockList, isIP } from 'node:net';

/** What an operator opened to tasks beside the public internet. */
export interface AllowList {
  /** May any address be connected to because this host name was asked for? */
  allowsHost(host: string, port: number): boolean;
  /** May this address be connected to, whatever name led there? */
  allowsAddress(address: string, port: number): boolean;
}

interface Entry {
  port: number | undefined;
  matchesHost(host: string): boolean;
  matchesAddress(address: string, family: 'ipv4' | 'ipv6'): boolean;
}

const WITH_PORT = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:]+)):(?<port>\d{1,5})$/;
const BRACKETED = /^\[(?<six>[^\]]+)\]$/;
const HOST = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Reads `TASKFLOW_FETCH_ALLOW`: host names, addresses and CIDR ranges, each with a port if only that one is meant,
 * separated by commas: `127.0.0.1:4000, 10.1.0.0/16, intranet.example`. Throws on an entry that means nothing.
 */
export function parseAllowList(text: string): AllowList {
  const entries = text
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '')
    .map(parseEntry);
  return {
    allowsHost: (host, port) => entries.some((entry) => portFits(entry, port) && entry.matchesHost(bareHost(host))),
    allowsAddress: (address, port) => {
      const family = isIP(address);
      if (family === 0) return false;
      return entries.some(
        (entry) => portFits(entry, port) && entry.matchesAddress(address, family === 4 ? 'ipv4' : 'ipv6'),
      );
    },
  };
}

const portFits = (entry: Entry, port: number) => entry.port === undefined || entry.port === port;
const bareHost = (host: string) => host.toLowerCase().replace(/\.$/, '');

function parseEntry(entry: string): Entry {
  const { six, four, port } = WITH_PORT.exec(entry)?.groups ?? {};
  const host = six ?? four ?? BRACKETED.exec(entry)?.groups?.six ?? entry;
  const portNumber = port === undefined ? undefined : Number(port);
  if (portNumber !== undefined && (portNumber < 1 || portNumber > 65_535)) throw badEntry(entry);

  const [network = '', bits, ...rest] = host.split('/');
  const family = isIP(network);
  if (family === 0) {
    if (bits !== undefined || !HOST.test(host) || /^[\d.]+$/.test(host)) throw badEntry(entry);
    return { port: portNumber, matchesHost: (asked) => asked === host, matchesAddress: () => false };
  }
  const width = family === 4 ? 32 : 128;
  const length = bits === undefined ? width : Number(bits);
  if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)) || length > width) throw badEntry(entry);
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const range = new BlockList();
  range.addSubnet(network, length, kind);
  return {
    port: portNumber,
    matchesHost: () => false,
    // Node also matches IPv4 ranges against IPv6-mapped addresses; an operator who means those says so.
    matchesAddress: (address, addressKind) => addressKind === kind && range.check(address, kind),
  };
}

function badEntry(entry: string): Error {
  return new Error(`${JSON.stringify(entry)} is neither a host name, nor an address, nor a CIDR range (port optional)`);
}
