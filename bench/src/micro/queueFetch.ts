/**
 * How fast the queue consumer is on this machine: records of 200 bytes fetched in record-limit mode and accepted, by the
 * greatest number of a fetch and the size of the batches in the log; how long a record takes from its append to its
 * consumer when nothing else goes on; and what waiting costs.
 *
 *     node --conditions=taskflow-source bench/src/micro/queueFetch.ts [broker]
 *
 * CPU is that of this process alone; the broker's comes on top.
 */
import { randomUUID } from 'node:crypto';
import { createAppender } from '@taskflow/log/appender';
import { type Cluster, connectCluster } from '@taskflow/log/cluster';
import { resourceType, setConfigs } from '@taskflow/log/configs';
import { openQueue, type QueueConsumer } from '@taskflow/log/queueConsumer';
import { percentiles } from '../percentiles.ts';
import { type Row, renderTable } from '../table.ts';

const brokers = (process.argv[2] ?? process.env.TASKFLOW_KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
const value = Buffer.alloc(200, 'x');
const records = 200_000;
const loads = [
  [1_000, 1_000],
  [500, 500],
  [500, 1_000],
  [200, 200],
  [64, 500],
  [64, 1],
] as const;
const idleQueues = 18;
const idleMs = 5_000;

async function main(): Promise<void> {
  const cluster = await connectCluster({ brokers, clientId: 'bench-queue' });
  const rates: Row[] = [];
  await rate(cluster, 500, 500);
  for (const [maxRecords, batch] of loads) {
    const { perSecond, microseconds } = await rate(cluster, maxRecords, batch);
    rates.push({
      'records a fetch': maxRecords,
      'records a batch': batch,
      'records/s, accepted': Math.round(perSecond),
      'CPU µs each': microseconds,
    });
  }
  console.log(`${renderTable(rates)}\n`);
  const { p50, p95, p99 } = percentiles(await latency(cluster));
  console.log(`from append to consumer: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  console.log(`${idleQueues} queues that wait: ${((await idle(cluster)) * 100).toFixed(1)} % of a core`);
  await cluster.close();
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

async function rate(cluster: Cluster, maxRecords: number, batch: number) {
  const queue = await newQueue(cluster);
  const count = batch === 1 ? records / 20 : records;
  const appender = createAppender(cluster);
  for (let sent = 0; sent < count; sent += batch) {
    await appender.append(
      Array.from({ length: batch }, () => ({ topic: queue.topic, partition: 0, key: randomUUID(), value })),
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
  return { perSecond: accepted / seconds, microseconds: (user + system) / accepted };
}

async function latency(cluster: Cluster): Promise<number[]> {
  const queue = await newQueue(cluster);
  const consumer = await openQueue(cluster, queue);
  await opened(consumer);
  const appender = createAppender(cluster);
  const latencies: number[] = [];
  const sent: number[] = [];
  const consuming = (async () => {
    while (latencies.length < 500) {
      for (const record of await consumer.fetch({ maxRecords: 64, maxWaitMs: 1_000 })) {
        latencies.push(performance.now() - sent[record.offset]!);
        consumer.accept(record);
      }
    }
  })();
  for (let i = 0; i < 500; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
    sent.push(performance.now());
    await appender.append([{ topic: queue.topic, partition: 0, key: null, value }]);
  }
  await consuming;
  await appender.close();
  await consumer.close();
  return latencies.slice(100);
}

/** The part of a core that queues take which have nothing to give. */
async function idle(cluster: Cluster): Promise<number> {
  const queues = await Promise.all(Array.from({ length: idleQueues }, () => newQueue(cluster)));
  const consumers = await Promise.all(queues.map((queue) => openQueue(cluster, queue)));
  await Promise.all(consumers.map(opened));
  const cpu = process.cpuUsage();
  await Promise.all(consumers.map((consumer) => consumer.fetch({ maxRecords: 64, maxWaitMs: idleMs })));
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all(consumers.map((consumer) => consumer.close()));
  return (user + system) / 1_000 / idleMs;
}

async function opened(consumer: QueueConsumer): Promise<void> {
  while (consumer.health().assignedPartitions === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

await main();
