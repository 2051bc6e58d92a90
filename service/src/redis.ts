import { Redis } from 'ioredis';
import type { Logger } from './logger.ts';

export type { Redis } from 'ioredis';

export interface RedisOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Shown in `CLIENT LIST`. */
  readonly name: string;
  /** A command without an answer after this time rejects, 1 s by default. */
  readonly commandTimeoutMs?: number;
}

export interface RedisConnection {
  readonly client: Redis;
  /** Whether commands can be sent now. */
  isUp(): boolean;
  stop(): Promise<void>;
}

/**
 * Connects in the background and for ever. Nothing in the project depends on Redis to be correct, so while it is away commands
 * reject at once (no queue that grows, no call that hangs), and only the change between up and away is logged.
 */
export function connectRedis(options: RedisOptions): RedisConnection {
  const { logger } = options;
  const client = new Redis(options.url, {
    connectionName: options.name,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.commandTimeoutMs ?? 1_000,
    connectTimeout: 2_000,
    disconnectTimeout: 500,
    retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 6), 5_000) * (0.5 + Math.random() / 2),
  });
  let up: boolean | undefined;
  let stopped = false;
  client.on('ready', () => {
    if (up === false) logger.info('Redis is back');
    up = true;
  });
  const away = (reason: string) => {
    if (up !== false && !stopped) logger.warn('Redis is away, signals between processes are late', { reason });
    up = false;
  };
  client.on('error', (error: Error) => away(error.message || error.name));
  client.on('close', () => away('the connection ended'));
  return {
    client,
    isUp: () => client.status === 'ready',
    async stop() {
      stopped = true;
      client.disconnect();
    },
  };
}
