import { createAppender } from '@taskflow/log/appender';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { createEventConsumer } from '@taskflow/log/eventConsumer';
import { openQueue } from '@taskflow/log/queueConsumer';
import { ensureTypeTopics } from '@taskflow/log/topics';
import { eventsTopic, queueTopic, shareGroup } from '@taskflow/schemas/topics';

const type = 'trial';

/** Sends a broker each kind of request that a working system does: topics, appends, a share group, a consumer group. */
export async function useBroker(address: string): Promise<void> {
  const cluster = await connectCluster({ brokers: [address], clientId: 'trial', startTimeoutMs: 60_000 });
  try {
    await ensureTypeTopics(cluster, type);
    await append(cluster);
    await Promise.all([takeFromQueue(cluster), readEvents(cluster)]);
  } finally {
    await cluster.close();
  }
}

async function append(cluster: Cluster): Promise<void> {
  const appender = createAppender(cluster);
  const record = { partition: 0, key: 'key', value: Buffer.from('value') };
  await appender.append([
    { ...record, topic: queueTopic(type, 'normal') },
    { ...record, topic: eventsTopic(type, 'normal') },
  ]);
  await appender.close();
}

async function takeFromQueue(cluster: Cluster): Promise<void> {
  const queue = await openQueue(cluster, { topic: queueTopic(type, 'normal'), group: shareGroup(type, 'normal') });
  for (let taken = 0; taken === 0; ) {
    const records = await queue.fetch({ maxRecords: 10, maxWaitMs: 500 });
    for (const record of records) queue.accept(record);
    taken = records.length;
  }
  await queue.close(5_000);
}

async function readEvents(cluster: Cluster): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const consumer = createEventConsumer(cluster, {
      groupId: type,
      topics: () => [eventsTopic(type, 'normal')],
      positions: async () => new Map(),
      onBatch: () => void consumer.close().then(resolve, reject),
      onGap: reject,
      onFatal: reject,
    });
  });
}
