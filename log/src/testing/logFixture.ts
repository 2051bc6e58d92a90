import { randomUUID } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { type Appender, type AppenderOptions, createAppender } from '../appender.ts';
import { type Cluster, type ClusterOptions, connectCluster } from '../cluster.ts';
import type { LogRecord } from '../logRecord.ts';
import { readRange } from '../reader.ts';
import { ensureTopics } from '../topics.ts';
import { testBrokers, testLogger } from './queueFixture.ts';

interface TestTopicOptions {
  readonly partitions?: number;
  readonly replicas?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Topics of their own names on a real broker, with appenders and the plain content of the log, for tests. */
export interface LogFixture {
  readonly cluster: Cluster;
  topic(options?: TestTopicOptions): Promise<string>;
  createTopic(name: string, options?: TestTopicOptions): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** Deletes all records of partition 0 before an offset. */
  trim(topic: string, offset: number): Promise<void>;
  appender(options?: AppenderOptions, on?: Cluster): Appender;
  withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T>;
  connect(options?: Partial<ClusterOptions>): Promise<Cluster>;
  /** All records of a partition. */
  read(topic: string, partition?: number): Promise<LogRecord[]>;
  /** All values of a partition as text. */
  values(topic: string, partition?: number): Promise<string[]>;
  close(): Promise<void>;
}

export async function logFixture(
  brokers: readonly string[] = testBrokers(),
  common: Partial<ClusterOptions> = {},
): Promise<LogFixture> {
  const clusters: Cluster[] = [];
  const appenders: Appender[] = [];
  const connect = async (options: Partial<ClusterOptions> = {}) => {
    const cluster = await connectCluster({ brokers, clientId: 'test', logger: testLogger(), ...common, ...options });
    clusters.push(cluster);
    return cluster;
  };
  const cluster = await connect();
  const withAdmin = async <T>(work: (admin: Admin) => Promise<T>) => {
    const admin = cluster.kafkajs.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  const read = async (topic: string, partition = 0) => {
    const records: LogRecord[] = [];
    for await (const chunk of readRange(cluster, { topic, partition, from: 'start' })) records.push(...chunk);
    return records;
  };
  const createTopic = (name: string, { partitions = 1, replicas = 1, config = {} }: TestTopicOptions = {}) =>
    ensureTopics(cluster, [
      {
        name,
        partitions,
        replicationFactor: replicas,
        config: { 'message.timestamp.type': 'LogAppendTime', ...config },
      },
    ]);
  return {
    cluster,
    connect,
    read,
    createTopic,
    async topic(options = {}) {
      const name = `test.${randomUUID()}`;
      await createTopic(name, options);
      return name;
    },
    deleteTopic: (topic) => withAdmin((admin) => admin.deleteTopics({ topics: [topic] })),
    trim: (topic, offset) =>
      withAdmin(async (admin) => {
        // Only this makes kafkajs load the metadata that it needs for the next call.
        await admin.fetchTopicOffsets(topic);
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
      }),
    withAdmin,
    appender(options, on = cluster) {
      const appender = createAppender(on, options);
      appenders.push(appender);
      return appender;
    },
    async values(topic, partition) {
      return (await read(topic, partition)).map(({ value }) => String(value));
    },
    async close() {
      await Promise.all(appenders.map((appender) => appender.close()));
      await Promise.all(clusters.map((each) => each.close()));
    },
  };
}
