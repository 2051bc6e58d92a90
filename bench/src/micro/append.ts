/**
 * How fast the appender is on this machine: records of 200 bytes to one partition and to three, in calls of 1, 100 and
 * 1,000, and the time of a single append when nothing else goes on.
 *
 *     node --conditions=taskflow-source bench/src/micro/append.ts [broker]
 *
 * CPU is that of this process alone; the broker's comes on top.
 */
import { randomUUID } from 'node:crypto';
import { type Appender, type AppendRecord, createAppender } from '@taskflow/log/appender';
import { connectCluster } from '@taskflow/log/cluster';

const brokers = (process.argv[2] ?? process.env.TASKFLOW_KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
const valueBytes = 200;
const value = Buffer.alloc(valueBytes, 'x');

interface Load {
  readonly name: string;
  readonly partitions: number;
  readonly recordsPerCall: number;
  /** Calls that wait for their end at the same time. */
  readonly callers: number;
  readonly records: number;
}

const loads: readonly Load[] = [
  { name: 'warm-up', partitions: 3, recordsPerCall: 1_000, callers: 8, records: 300_000 },
  { name: 'calls of 1,000, 1 partition', partitions: 1, recordsPerCall: 1_000, callers: 8, records: 2_000_000 },
  { name: 'calls of 1,000, 3 partitions', partitions: 3, recordsPerCall: 1_000, callers: 12, records: 2_000_000 },
  { name: 'calls of 100, 3 partitions', partitions: 3, recordsPerCall: 100, callers: 64, records: 1_000_000 },
  { name: 'single records, 64 callers', partitions: 3, recordsPerCall: 1, callers: 64, records: 200_000 },
  { name: 'single records, 1,000 callers', partitions: 3, recordsPerCall: 1, callers: 1_000, records: 500_000 },
];

async function main(): Promise<void> {
  const cluster = await connectCluster({ brokers, clientId: 'bench-append' });
  const topic = `bench.append.${randomUUID()}`;
  const admin = cluster.kafkajs.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
  const appender = createAppender(cluster);
  try {
    console.log(`${valueBytes} bytes a record, broker ${brokers.join(',')}, Node ${process.version}`);
    console.log('load                             records/s   µs CPU/record   records/request');
    for (const load of loads) await measure(appender, topic, load);
    await measureLatency(appender, topic);
  } finally {
    await appender.close();
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
    await cluster.close();
  }
}

async function measure(appender: Appender, topic: string, load: Load): Promise<void> {
  const { name, partitions, recordsPerCall, callers, records } = load;
  const calls = Math.ceil(records / recordsPerCall);
  let next = 0;
  const before = appender.stats;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const caller = async () => {
    while (next < calls) {
      const partition = next++ % partitions;
      await appender.append(recordsOf(topic, partition, recordsPerCall));
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - startedAt) / 1_000;
  const used = process.cpuUsage(cpu);
  const appended = calls * recordsPerCall;
  const requests = appender.stats.requests - before.requests;
  console.log(
    `${name.padEnd(30)}${Math.round(appended / seconds)
      .toLocaleString('en')
      .padStart(12)}${((used.user + used.system) / appended).toFixed(2).padStart(16)}${Math.round(appended / requests)
      .toLocaleString('en')
      .padStart(18)}`,
  );
}

async function measureLatency(appender: Appender, topic: string): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < 2_000; i++) {
    const startedAt = performance.now();
    await appender.append(recordsOf(topic, i % 3, 1));
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(2);
  console.log(`one at a time: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`);
}

/** Keys as task ids are, 36 characters, each another. */
let counter = 0;
function recordsOf(topic: string, partition: number, count: number): AppendRecord[] {
  const records: AppendRecord[] = [];
  for (let i = 0; i < count; i++) {
    const key = `0190f3c2-0000-7000-8000-${String(counter++).padStart(12, '0')}`;
    records.push({ topic, partition, key, value });
  }
  return records;
}

await main();
