import { randomUUID } from 'node:crypto';
import type { Admin, CompressionTypes, Producer } from 'kafkajs';
import { retrying } from '../backoff.ts';
import { type Cluster, type ClusterOptions, connectCluster } from '../cluster.ts';
import { resourceType, setConfigs } from '../configs.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { type Delivered, openQueue, type QueueConsumer, type QueueConsumerOptions } from '../queueConsumer.ts';
import { ensureTopics } from '../topics.ts';

export interface TestQueue {
  readonly topic: string;
  readonly group: string;
}

/** Queues on a real broker, and producers and consumers of them, for tests. */
export interface QueueFixture {
  readonly cluster: Cluster;
  readonly admin: Admin;
  readonly producer: Producer;
  /** A queue of its own name; without `partitions` its topic is not created yet. */
  queue(options?: { partitions?: number; lockMs?: number; deliveries?: number }): Promise<TestQueue>;
  createTopic(topic: string, partitions?: number): Promise<void>;
  open(queue: TestQueue, options?: Partial<QueueConsumerOptions>, cluster?: Cluster): Promise<QueueConsumer>;
  /** Another process, as far as the broker can tell. */
  connect(options?: Partial<ClusterOptions>): Promise<Cluster>;
  produce(queue: TestQueue, values: readonly (string | Buffer)[], options?: ProduceOptions): Promise<void>;
  close(): Promise<void>;
}

export interface ProduceOptions {
  readonly partition?: number;
  readonly compression?: CompressionTypes;
}

export async function queueFixture(
  brokers: string[] = testBrokers(),
  logger: Logger = testLogger(),
): Promise<QueueFixture> {
  const clusters: Cluster[] = [];
  const consumers: QueueConsumer[] = [];
  const connect = async (options: Partial<ClusterOptions> = {}) => {
    const cluster = await connectCluster({ brokers, clientId: 'test', logger, ...options });
    clusters.push(cluster);
    return cluster;
  };
  const cluster = await connect();
  const admin = cluster.kafkajs.admin();
  const producer = cluster.kafkajs.producer({ allowAutoTopicCreation: false });
  await admin.connect();
  await producer.connect();
  const createTopic = async (topic: string, numPartitions = 1) => {
    await ensureTopics(cluster, [{ name: topic, partitions: numPartitions, replicationFactor: 1, config: {} }]);
  };
  return {
    cluster,
    admin,
    producer,
    connect,
    createTopic,
    async queue({ partitions = 1, lockMs = 15_000, deliveries = 10 } = {}) {
      const topic = `test.queue.${randomUUID()}`;
      const group = `test.${topic}`;
      if (partitions > 0) await createTopic(topic, partitions);
      const settings = {
        'share.auto.offset.reset': 'earliest',
        'share.record.lock.duration.ms': String(lockMs),
        'share.delivery.count.limit': String(deliveries),
      };
      await retrying(() => setConfigs(cluster, resourceType.group, new Map([[group, settings]])), { forMs: 10_000 });
      return { topic, group };
    },
    async open(queue, options = {}, on = cluster) {
      const consumer = await openQueue(on, { ...queue, ...options });
      consumers.push(consumer);
      return consumer;
    },
    async produce({ topic }, values, { partition = 0, compression } = {}) {
      await producer.send({
        topic,
        acks: -1,
        ...(compression === undefined ? {} : { compression }),
        messages: values.map((value, index) => ({ partition, key: `key-${index}`, value })),
      });
    },
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close(1_000)));
      await Promise.allSettled([producer.disconnect(), admin.disconnect()]);
      await Promise.all(clusters.map((one) => one.close()));
    },
  };
}

export function testBrokers(): string[] {
  const brokers = process.env.TASKFLOW_KAFKA_BROKERS;
  if (!brokers)
    throw new Error('TASKFLOW_KAFKA_BROKERS is not set: integration tests need a running broker (make test)');
  return brokers.split(',');
}

/** Silent, unless TASKFLOW_TEST_LOG is set. */
export function testLogger(): Logger {
  if (!process.env.TASKFLOW_TEST_LOG) return silentLogger;
  const write = (level: string) => (message: string, fields?: object) =>
    console.error(`${performance.now().toFixed(0)} ${level} ${message} ${fields ? JSON.stringify(fields) : ''}`);
  return { debug() {}, info: write('info'), warn: write('warn'), error: write('error') };
}

/** Fetches until `count` records have come, accepting none. Fails when they have not come within the time. */
export async function take(consumer: QueueConsumer, count: number, withinMs = 20_000): Promise<Delivered[]> {
  const taken: Delivered[] = [];
  const deadline = performance.now() + withinMs;
  while (taken.length < count) {
    if (performance.now() > deadline) {
      throw new Error(`only ${taken.length} of ${count} records came; health: ${JSON.stringify(consumer.health())}`);
    }
    taken.push(...(await consumer.fetch({ maxRecords: count - taken.length, maxWaitMs: 300 })));
  }
  return taken;
}

export function values(records: readonly Delivered[]): string[] {
  return records.map(({ value }) => String(value));
}
