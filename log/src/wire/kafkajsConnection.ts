import net from 'node:net';
import tls from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import Connection, { type KafkajsLogger, type KafkajsSocketArguments } from 'kafkajs/src/network/connection.js';
import type { Logger } from '../logger.ts';

const keepAliveDelayMs = 60_000;

export interface KafkajsConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl: tls.ConnectionOptions | null;
  readonly sasl: SASLOptions | null;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
  readonly onData: (data: Buffer) => void;
}

/** kafkajs's connection with `TCP_NODELAY` (it leaves Nagle's algorithm on), and the bytes that come in handed to `onData`. */
export class KafkajsConnection extends Connection {
  readonly #onData: (data: Buffer) => void;

  constructor({ host, port, clientId, ssl, sasl, ...settings }: KafkajsConnectionSettings) {
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
      socketFactory: openSocket,
      logger: kafkajsLogger(settings.logger, 'connection'),
    });
    this.#onData = settings.onData;
    this.setSupportAuthenticationProtocol(true);
  }

  override processData(data: Buffer): void {
    this.#onData(data);
  }
}

/** With `TCP_NODELAY` and keep-alive. */
export function openSocket({ host, port, ssl, onConnect }: KafkajsSocketArguments): net.Socket {
  const socket = ssl
    ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveDelayMs);
  return socket;
}

/** Everything at debug: whoever uses the connection gets the failure as an error, and knows how much it matters. */
function kafkajsLogger(logger: Logger, namespace: string): KafkajsLogger {
  const log = (message: string, fields?: Record<string, unknown>) =>
    logger.debug(`kafkajs ${namespace}: ${message}`, fields);
  return { debug() {}, info: log, warn: log, error: log, namespace: (name) => kafkajsLogger(logger, name) };
}
