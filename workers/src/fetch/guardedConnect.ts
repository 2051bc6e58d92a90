import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AllowList } from '../fetchAllow.ts';
import { addressNotAllowed } from './fetchError.ts';
import { isPublicAddress } from './publicAddress.ts';

export interface Address {
  address: string;
  family: number;
}

/** All addresses of a name. `dns.lookup` by default, so that /etc/hosts counts. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

export const systemResolve: Resolve = (host) => systemLookup(host, { all: true, order: 'verbatim' });

export interface GuardedConnectOptions {
  allow: AllowList;
  resolve: Resolve;
  timeoutMs: number;
  onResolved(milliseconds: number): void;
  onConnected(milliseconds: number): void;
}

/**
 * An undici connector that connects only to addresses which are public or opened by the operator. The name is resolved
 * once, its addresses are checked, and the socket is given these addresses and no name: a second answer of a rebinding
 * DNS is never asked for. TLS still verifies the certificate against the name.
 */
export function guardedConnect(options: GuardedConnectOptions): buildConnector.connector {
  return (target, callback) => {
    connect(target, options).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

async function connect(target: buildConnector.Options, options: GuardedConnectOptions): Promise<Socket> {
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
  const started = performance.now();
  const addresses = await allowedAddresses(host, port, options);
  const resolved = performance.now();
  options.onResolved(resolved - started);

  const pinned: LookupFunction = (_name, wanted, done) => {
    if (wanted.all) done(null, [...addresses]);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };
  const open = buildConnector({
    timeout: Math.max(1, options.timeoutMs - (resolved - started)),
    lookup: pinned,
    autoSelectFamily: true,
    allowH2: false,
    maxCachedSessions: 0,
  });
  const socket = await new Promise<Socket>((resolve, reject) => {
    open(target, (error, opened) => (error ? reject(error) : resolve(opened!)));
  });
  options.onConnected(performance.now() - resolved);

  // What was checked is what was connected to; if ever not, nothing was sent yet.
  const remote = socket.remoteAddress;
  if (remote === undefined || !addresses.some(({ address }) => sameAddress(address, remote))) {
    socket.destroy();
    throw notAllowed();
  }
  return socket;
}

async function allowedAddresses(
  host: string,
  port: number,
  options: GuardedConnectOptions,
): Promise<readonly Address[]> {
  const { allow } = options;
  const family = isIP(host);
  const addresses =
    family === 0 ? await withTimeout(options.resolve(host), options.timeoutMs) : [{ address: host, family }];
  if (allow.allowsHost(host, port)) return addresses;
  const allowed = addresses.filter(({ address }) => isPublicAddress(address) || allow.allowsAddress(address, port));
  if (allowed.length === 0) throw notAllowed();
  return allowed;
}

/** Says nothing of what the name resolved to: that would let a stranger read the inside of our network's DNS. */
function notAllowed() {
  return addressNotAllowed('The host is, or resolves to, an address that tasks may not reach');
}

function withTimeout<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(Object.assign(new Error('The name was not resolved in time'), { code: 'EDNSTIMEOUT' })),
      milliseconds,
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function sameAddress(a: string, b: string): boolean {
  return canonical(a) === canonical(b);
}

function canonical(address: string): string {
  return isIP(address) === 6 && !address.includes('%') ? new URL(`http://[${address}]`).hostname : address;
}
