import type { Socket } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Kafka, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';
import type { Logger } from '../logger.ts';
import { openSocket } from '../wire/kafkajsConnection.ts';

export interface KafkajsClientSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl: TlsOptions | null;
  readonly sasl: SASLOptions | null;
  readonly logger: Logger;
}

export interface KafkajsClient {
  readonly kafkajs: Kafka;
  /** Ends what its clients have left open: one that disconnects while it refreshes its metadata may open a connection after that. */
  close(): void;
}

/** kafkajs itself, for what it is good at here: topic administration and consumer groups. */
export function kafkajsClient({ brokers, clientId, ssl, sasl, logger }: KafkajsClientSettings): KafkajsClient {
  const sockets = new Set<Socket>();
  let closed = false;
  // Only for an error does kafkajs also clear its timer of the connection.
  const end = (socket: Socket) => socket.destroy(new Error('The cluster was closed'));
  const kafkajs = new Kafka({
    brokers: [...brokers],
    clientId,
    ssl: ssl ?? false,
    ...(sasl ? { sasl } : {}),
    // kafkajs's own default of one second is less than a busy broker's accept may take.
    connectionTimeout: 10_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => writeLog(logger, entry),
    socketFactory: (wanted) => {
      const socket = openSocket(wanted);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      if (closed) setImmediate(end, socket);
      return socket;
    },
  });
  return {
    kafkajs,
    close() {
      closed = true;
      sockets.forEach(end);
    },
  };
}

function writeLog(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _, logger: __, ...fields } = log;
  const text = `kafkajs ${namespace}: ${message}`;
  if (level === logLevel.ERROR) logger.warn(text, fields);
  else if (level === logLevel.WARN) logger.info(text, fields);
  else logger.debug(text, fields);
}
