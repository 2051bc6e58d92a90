import { setTimeout as sleep } from 'node:timers/promises';
import { createAppender } from '@taskflow/log/appender';
import { connectCluster } from '@taskflow/log/cluster';
import { openQueue } from '@taskflow/log/queueConsumer';
import { queueSet } from '@taskflow/log/queueSet';
import { follow } from '@taskflow/log/reader';
import { connectRegistry } from '@taskflow/log/registry';
import { ensureTypeTopics } from '@taskflow/log/topics';
import type { Codec } from '@taskflow/schemas/codec';
import {
  controlTopic,
  logsTopic,
  PRIORITIES,
  type Priority,
  queueBatchRecords,
  queueTopic,
  shareGroup,
} from '@taskflow/schemas/topics';
import { kafkaAccess } from '@taskflow/service/kafkaAccess';
import type { Logger } from '@taskflow/service/logger';
import type { ConfigOf } from '@taskflow/service/settings';
import { queueFacts } from './queueFacts.ts';
import { Control } from './runtime/control.ts';
import type { LogAppender, QueueFacts, QueueSession } from './runtime/ports.ts';
import type { TypeQueues } from './runtime/worker.ts';
import type { settings } from './settings.ts';

type Config = ConfigOf<typeof settings>;

/** The log as a worker uses it. */
export interface WorkerLog {
  readonly appender: LogAppender;
  readonly codec: Codec;
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  ensureTopics(types: readonly string[]): Promise<void>;
  openQueues(type: string): Promise<TypeQueues>;
  /** Reads the control topic to its end, and follows it from there. `onEnd` is called where that cannot go on. */
  followControl(onEnd: (error: unknown) => void): Promise<Control>;
  partitionsOfLogs(): Promise<number>;
}

/**
 * The outbox sends again what was not taken within it, but asks before whether that may still be said: a zombie's failure, or the
 * hand-over of a run whose lock has passed, should not wait for a broker for long.
 */
const DELIVERY_TIMEOUT_MS = 5_000;

/** Connects to Kafka and the registry, and publishes the schemas of the contract. Waits for both where they still start. */
export async function connectLog(
  config: Config,
  { logger, onStop }: { logger: Logger; onStop(name: string, stop: () => unknown): void },
): Promise<WorkerLog> {
  const cluster = await connectCluster({
    ...kafkaAccess(config),
    clientId: `taskflow-${config.workerName}`,
    startTimeoutMs: 60_000,
    logger,
  });
  onStop('connection to Kafka', () => cluster.close());
  const registry = await connectRegistry({ url: config.registryUrl, logger });
  const appender = createAppender(cluster, { deliveryTimeoutMs: DELIVERY_TIMEOUT_MS });
  // Outcomes were flushed before; what is still under way belongs to a broker that is away.
  onStop('appender', () => Promise.race([appender.close(), sleep(1_000, undefined, { ref: false })]));

  return {
    appender,
    codec: registry.codec,
    learnSchema: (schemaId) => registry.learn(schemaId),
    async ensureTopics(types) {
      const topicSettings = { ...config, lockMs: 3 * config.lockRenewMs };
      await Promise.all(types.map((type) => ensureTypeTopics(cluster, type, topicSettings)));
    },
    async openQueues(type) {
      const listeners: ((session: QueueSession) => void)[] = [];
      const onSessionLost = (session: QueueSession & { topic: string; partition: number }, reason: string) => {
        logger.warn('A session of a queue was lost', { topic: session.topic, partition: session.partition, reason });
        for (const listener of listeners) listener(session);
      };
      const open = (priority: Priority) =>
        openQueue(cluster, {
          topic: queueTopic(type, priority),
          group: shareGroup(type, priority),
          batchRecords: queueBatchRecords,
          onSessionLost,
        });
      const consumers = await Promise.all(PRIORITIES.map(open));
      onStop(`queues of ${type}`, () => Promise.all(consumers.map((consumer) => consumer.close(1_000))));
      const queues = byPriority((_, i) => consumers[i]!);
      const set = queueSet(consumers);
      return {
        queues,
        queueSet: {
          slotsFreed: () => set.slotsFreed(),
          fetch: ({ order, ...options }) => set.fetch({ ...options, order: order.map((priority) => queues[priority]) }),
        },
        facts: byPriority((priority): QueueFacts => queueFacts(cluster, type, priority)),
        onSessionLost: (listener) => void listeners.push(listener),
      };
    },
    async followControl(onEnd) {
      const control = new Control({ codec: registry.codec, learnSchema: (id) => registry.learn(id), logger });
      const closing = new AbortController();
      onStop('control topic', () => closing.abort());
      const { caughtUp, done } = follow(cluster, {
        topics: [controlTopic],
        from: 'start',
        signal: closing.signal,
        onRecords: (records) => control.take(records),
      });
      done.catch(onEnd);
      await caughtUp;
      return control;
    },
    partitionsOfLogs: async () => (await cluster.topic(logsTopic)).partitions.length,
  };
}

function byPriority<T>(of: (priority: Priority, index: number) => T): Record<Priority, T> {
  return Object.fromEntries(PRIORITIES.map((priority, index) => [priority, of(priority, index)])) as Record<
    Priority,
    T
  >;
}
