import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Kafka, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';
import type { Logger } from '../logger.ts';

export interface KafkajsClientSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl: TlsOptions | null;
  readonly sasl: SASLOptions | null;
  readonly logger: Logger;
}

/** kafkajs itself, for what it is good at here: topic administration and consumer groups. */
export function kafkajsClient({ brokers, clientId, ssl, sasl, logger }: KafkajsClientSettings): Kafka {
  return new Kafka({
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
  });
}

function writeLog(logger: Logger, { level, namespace, log }: LogEntry): void {
  const { message, timestamp: _, logger: __, ...fields } = log;
  const text = `kafkajs ${namespace}: ${message}`;
  if (level === logLevel.ERROR) logger.warn(text, fields);
  else if (level === logLevel.WARN) logger.info(text, fields);
  else logger.debug(text, fields);
}
