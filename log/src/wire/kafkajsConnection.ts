import net from 'node:net';
import tls from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import Connection, { type KafkajsLogger, type KafkajsSocketArguments } from 'kafkajs/src/network/connection.js';
import type { Logger } from '../logger.ts';

const keepAliveDelayMs = 60_000;

/**
 * Where the bytes of all connections arrive, to be copied to their frames before the next ones come. Node would otherwise allocate
 * 64 KiB for each read and give most of it back: docs/decisions/0151 says what that costs.
 */
const arrived = Buffer.allocUnsafeSlow(256 * 1024);

export interface KafkajsConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl: tls.ConnectionOptions | null;
  readonly sasl: SASLOptions | null;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
  /** Told of the bytes that come in. They are overwritten when it has returned. */
  readonly onData: (data: Buffer) => void;
}

/** kafkajs's connection with `TCP_NODELAY` (it leaves Nagle's algorithm on), and the bytes that come in handed to `onData`. */
export class KafkajsConnection extends Connection {
  constructor({ host, port, clientId, ssl, sasl, onData, ...settings }: KafkajsConnectionSettings) {
    super({
      host,
      port,
      clientId,
      ssl,
      // kafkajs writes its authenticator, credentials within, into this object.
      sasl: sasl && { ...sasl },
      connectionTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      enforceRequestTimeout: false,
      socketFactory: (socketArguments) => openSocket(socketArguments, onData),
      logger: kafkajsLogger(settings.logger, 'connection'),
    });
    this.setSupportAuthenticationProtocol(true);
  }
}

/** With `TCP_NODELAY` and keep-alive. Where `onData` is given, the socket emits no data: they go there, and are overwritten afterwards. */
export function openSocket(
  { host, port, ssl, onConnect }: KafkajsSocketArguments,
  onData?: (data: Buffer) => void,
): net.Socket {
  const target = { host, port, ...(onData && { onread: { buffer: arrived, callback: readInto(onData) } }) };
  const socket = ssl
    ? tls.connect({ ...target, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : net.connect(target, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveDelayMs);
  return socket;
}

/** Reading goes on after each call. */
function readInto(onData: (data: Buffer) => void): (bytes: number) => boolean {
  return (bytes) => {
    onData(arrived.subarray(0, bytes));
    return true;
  };
}

/** Everything at debug: whoever uses the connection gets the failure as an error, and knows how much it matters. */
function kafkajsLogger(logger: Logger, namespace: string): KafkajsLogger {
  const log = (message: string, fields?: Record<string, unknown>) =>
    logger.debug(`kafkajs ${namespace}: ${message}`, fields);
  return { debug() {}, info: log, warn: log, error: log, namespace: (name) => kafkajsLogger(logger, name) };
}
