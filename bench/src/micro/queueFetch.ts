import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createAppender } from '@taskflow/log/appender';
import type { Cluster } from '@taskflow/log/cluster';
import { resourceType, setConfigs } from '@taskflow/log/configs';
import { openQueue, type QueueConsumer } from '@taskflow/log/queueConsumer';
import type { Table } from '../benchmark.ts';
import { scaled } from '../options.ts';
import { percentiles } from '../percentiles.ts';
import type { Row } from '../table.ts';

const VALUE = Buffer.alloc(200, 'x');
const RECORDS = scaled(50_000);
const LOADS = [
  [1_000, 1_000],
  [500, 500],
  [500, 1_000],
  [200, 200],
  [64, 500],
  [64, 1],
] as const;
const SINGLE = 500;
const UNCOUNTED = 100;
const IDLE_QUEUES = 18;
const IDLE_MS = 5_000;

/**
 * How fast the queue consumer is: records of 200 bytes fetched and accepted, by the greatest number of a fetch and the size of
 * the batches in the log; how long a record takes from its append to its consumer when nothing else goes on; what waiting costs.
 */
export async function queueFetchTables(cluster: Cluster): Promise<readonly Table[]> {
  await rate(cluster, 500, 500);
  const rows: Row[] = [];
  for (const [maxRecords, batch] of LOADS) rows.push(await rate(cluster, maxRecords, batch));
  return [
    { title: 'queue fetch, records of 200 bytes accepted; CPU of this process alone', rows },
    {
      title: 'queue fetch, from append to consumer, milliseconds',
      rows: [{ records: SINGLE, ...percentiles(await latency(cluster)) }],
    },
    {
      title: 'queues that wait; CPU of this process alone',
      rows: [{ queues: IDLE_QUEUES, '% of a core': (await idle(cluster)) * 100 }],
    },
  ];
}

async function newQueue(cluster: Cluster): Promise<{ topic: string; group: string }> {
  const topic = `bench.queue.${randomUUID()}`;
  const admin = cluster.kafkajs.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  await setConfigs(cluster, resourceType.group, new Map([[topic, { 'share.auto.offset.reset': 'earliest' }]]));
  return { topic, group: topic };
}

async function rate(cluster: Cluster, maxRecords: number, batch: number): Promise<Row> {
  const queue = await newQueue(cluster);
  const count = batch === 1 ? RECORDS / 10 : RECORDS;
  const appender = createAppender(cluster);
  for (let sent = 0; sent < count; sent += batch) {
    await appender.append(
      Array.from({ length: batch }, () => ({ topic: queue.topic, partition: 0, key: randomUUID(), value: VALUE })),
    );
  }
  await appender.close();
  const consumer = await openQueue(cluster, queue);
  await opened(consumer);
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (let got = 0; got < count; ) {
    const delivered = await consumer.fetch({ maxRecords, maxWaitMs: 1_000 });
    got += delivered.length;
    for (const record of delivered) consumer.accept(record);
  }
  await consumer.settled();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const { accepted } = consumer.health().acknowledgements;
  await consumer.close();
  return {
    'records a fetch': maxRecords,
    'records a batch': batch,
    'records/s': Math.round(accepted / seconds),
    'CPU µs/record': (user + system) / accepted,
  };
}

async function latency(cluster: Cluster): Promise<number[]> {
  const queue = await newQueue(cluster);
  const consumer = await openQueue(cluster, queue);
  await opened(consumer);
  const appender = createAppender(cluster);
  const latencies: number[] = [];
  const sent: number[] = [];
  const consuming = (async () => {
    while (latencies.length < UNCOUNTED + SINGLE) {
      for (const record of await consumer.fetch({ maxRecords: 64, maxWaitMs: 1_000 })) {
        latencies.push(performance.now() - sent[record.offset]!);
        consumer.accept(record);
      }
    }
  })();
  for (let index = 0; index < UNCOUNTED + SINGLE; index++) {
    await delay(5 + Math.random() * 20);
    sent.push(performance.now());
    await appender.append([{ topic: queue.topic, partition: 0, key: null, value: VALUE }]);
  }
  await consuming;
  await appender.close();
  await consumer.close();
  return latencies.slice(UNCOUNTED);
}

/** The part of a core that queues take which have nothing to give. */
async function idle(cluster: Cluster): Promise<number> {
  const queues = await Promise.all(Array.from({ length: IDLE_QUEUES }, () => newQueue(cluster)));
  const consumers = await Promise.all(queues.map((queue) => openQueue(cluster, queue)));
  await Promise.all(consumers.map(opened));
  const cpu = process.cpuUsage();
  await Promise.all(consumers.map((consumer) => consumer.fetch({ maxRecords: 64, maxWaitMs: IDLE_MS })));
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all(consumers.map((consumer) => consumer.close()));
  return (user + system) / 1_000 / IDLE_MS;
}

async function opened(consumer: QueueConsumer): Promise<void> {
  while (consumer.health().assignedPartitions === 0) await delay(20);
}
