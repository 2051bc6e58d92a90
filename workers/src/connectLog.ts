import { setTimeout as sleep } from 'node:timers/promises';
import { createAppender } from '@taskflow/log/appender';
import { connectCluster } from '@taskflow/log/cluster';
import { openQueue, type QueueConsumer } from '@taskflow/log/queueConsumer';
import { queueSet } from '@taskflow/log/queueSet';
import { connectRegistry } from '@taskflow/log/registry';
import { ensureTypeTopics } from '@taskflow/log/topics';
import type { Codec } from '@taskflow/schemas/codec';
import { logsTopic, PRIORITIES, type Priority, queueTopic, shareGroup } from '@taskflow/schemas/topics';
import { kafkaAccess } from '@taskflow/service/kafkaAccess';
import type { Logger } from '@taskflow/service/logger';
import type { ConfigOf } from '@taskflow/service/settings';
import type { LogAppender, QueueSet } from './runtime/ports.ts';
import type { WorkerQueue } from './runtime/worker.ts';
import type { settings } from './settings.ts';

type Config = ConfigOf<typeof settings>;

/** The log as a worker uses it. */
export interface WorkerLog {
  readonly appender: LogAppender;
  readonly codec: Codec;
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  ensureTopics(types: readonly string[]): Promise<void>;
  openQueues(type: string): Promise<{ queues: Readonly<Record<Priority, WorkerQueue>>; queueSet: QueueSet }>;
  partitionsOfLogs(): Promise<number>;
}

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
  const appender = createAppender(cluster);
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
      const onSessionLost = (session: { topic: string; partition: number }, reason: string) => {
        // PROTOCOL.md, "Hand-over": here what runs is to be handed over at once. Until then it runs on; the record is
        // handed out again, and the first end counts.
        logger.warn('A session of a queue was lost', { topic: session.topic, partition: session.partition, reason });
      };
      const open = (priority: Priority) =>
        openQueue(cluster, { topic: queueTopic(type, priority), group: shareGroup(type, priority), onSessionLost });
      const consumers = await Promise.all(PRIORITIES.map(open));
      onStop(`queues of ${type}`, () => Promise.all(consumers.map((consumer) => consumer.close(1_000))));
      const queues = Object.fromEntries(PRIORITIES.map((priority, i) => [priority, consumers[i]])) as Record<
        Priority,
        QueueConsumer
      >;
      const set = queueSet(consumers);
      return {
        queues,
        queueSet: {
          fetch: ({ order, ...options }) => set.fetch({ ...options, order: order.map((priority) => queues[priority]) }),
        },
      };
    },
    partitionsOfLogs: async () => (await cluster.topic(logsTopic)).partitions.length,
  };
}
