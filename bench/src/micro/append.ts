import { randomUUID } from 'node:crypto';
import { type Appender, type AppendRecord, createAppender } from '@taskflow/log/appender';
import type { Cluster } from '@taskflow/log/cluster';
import type { Table } from '../benchmark.ts';
import { scaled } from '../options.ts';
import { percentiles } from '../percentiles.ts';
import type { Row } from '../table.ts';

const VALUE = Buffer.alloc(200, 'x');
const ALONE = 1_000;

interface Load {
  readonly name: string;
  readonly partitions: number;
  readonly recordsPerCall: number;
  /** Calls that wait for their end at the same time. */
  readonly callers: number;
  readonly records: number;
}

const WARM_UP: Load = {
  name: 'warm-up',
  partitions: 3,
  recordsPerCall: 1_000,
  callers: 8,
  records: scaled(300_000),
};
const LOADS: readonly Load[] = [
  { name: 'calls of 1,000', partitions: 1, recordsPerCall: 1_000, callers: 8, records: scaled(1_000_000) },
  { name: 'calls of 1,000', partitions: 3, recordsPerCall: 1_000, callers: 12, records: scaled(1_000_000) },
  { name: 'calls of 100', partitions: 3, recordsPerCall: 100, callers: 64, records: scaled(500_000) },
  { name: 'single records', partitions: 3, recordsPerCall: 1, callers: 64, records: scaled(100_000) },
  { name: 'single records', partitions: 3, recordsPerCall: 1, callers: 1_000, records: scaled(200_000) },
];

/** How fast the appender is: records of 200 bytes in several loads, and the time of single appends when nothing else goes on. */
export async function appendTables(cluster: Cluster): Promise<readonly Table[]> {
  const topic = `bench.append.${randomUUID()}`;
  const admin = cluster.kafkajs.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
  const appender = createAppender(cluster);
  try {
    await measure(appender, topic, WARM_UP);
    const rows: Row[] = [];
    for (const load of LOADS) rows.push(await measure(appender, topic, load));
    return [
      { title: 'append, records of 200 bytes; CPU of this process alone', rows },
      { title: 'append, one at a time, milliseconds', rows: [{ appends: ALONE, ...(await latency(appender, topic)) }] },
    ];
  } finally {
    await appender.close();
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }
}

async function measure(appender: Appender, topic: string, load: Load): Promise<Row> {
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
  return {
    load: name,
    callers,
    partitions,
    'records/s': Math.round(appended / seconds),
    'CPU µs/record': (used.user + used.system) / appended,
    'records/request': Math.round(appended / (appender.stats.requests - before.requests)),
  };
}

async function latency(appender: Appender, topic: string) {
  const times: number[] = [];
  for (let index = 0; index < ALONE; index++) {
    const startedAt = performance.now();
    await appender.append(recordsOf(topic, index % 3, 1));
    times.push(performance.now() - startedAt);
  }
  return percentiles(times);
}

/** Keys as task ids are, 36 characters, each another. */
let counter = 0;
function recordsOf(topic: string, partition: number, count: number): AppendRecord[] {
  const records: AppendRecord[] = [];
  for (let index = 0; index < count; index++) {
    const key = `0190f3c2-0000-7000-8000-${String(counter++).padStart(12, '0')}`;
    records.push({ topic, partition, key, value: VALUE });
  }
  return records;
}
