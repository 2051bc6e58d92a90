/**
 * What a task costs the view `tasks`: its three events, as records of a log, through decoding, fold and the transactional consumer
 * into PostgreSQL. No broker: records come from memory, as fast as they are taken.
 *
 *     TASKFLOW_POSTGRES_URL=… node --conditions=taskflow-source bench/src/micro/projectionFlush.ts [tasks] [records behind]
 *
 * Uses a database of its own on that server, `projection_flush_benchmark`, dropped at the end. "Records behind" is how many
 * tasks are queued before the first of them runs: 0 meets all events of a task in one flush, a large number writes each task twice.
 */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { uuidv7 } from '@taskflow/core/ids';
import type { LogRecord } from '@taskflow/log/logRecord';
import { tasksView } from '@taskflow/projector/projections';
import { VIEW_SESSION } from '@taskflow/projector/viewSession';
import { createCodec } from '@taskflow/schemas/codec';
import { recordNames, type TaskEvent } from '@taskflow/schemas/events';
import { nullResult, someTask } from '@taskflow/schemas/testing/taskEvents';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { createDecoding } from '@taskflow/service/decoding';
import { silentLogger } from '@taskflow/service/logger';
import { migrate } from '@taskflow/service/migrations';
import { createPostgresPool } from '@taskflow/service/postgres';
import { type FlushReport, TransactionalConsumer } from '@taskflow/service/transactionalConsumer';
import pg from 'pg';
import { type Row, renderTable } from '../table.ts';

const EVENTS_PARTITIONS = 3;
const CHUNK = 500;
const type = 'noop';
const priority = 'normal';
const queue = queueTopic(type, priority);
const events = eventsTopic(type, priority);
const codec = createCodec(new Map(recordNames.map((name, index) => [name, index + 1])));

function eventsOf(index: number): { queued: TaskEvent; rest: TaskEvent[] } {
  const taskId = uuidv7();
  const head = {
    taskId,
    generation: 0,
    attempt: 1,
    userId: '00000000-0000-4000-8000-000000000001',
    type,
    priority,
    occurredAt: Date.now(),
    runId: null,
    stepId: null,
  };
  const workerId = 'worker-1.4711.k3x9';
  return {
    queued: {
      ...head,
      event: 'TaskQueued',
      workerId: '',
      eventId: uuidv7(),
      failures: 0,
      recoveries: 0,
      eventsPartition: index % EVENTS_PARTITIONS,
      cause: 'submit',
      check: false,
      actor: null,
      reason: null,
      task: { ...someTask, payload: '{}' },
    },
    rest: [
      {
        ...head,
        event: 'TaskStarted',
        workerId,
        eventId: uuidv7(),
        delivery: 1,
        starts: 1,
        leaseMs: 30_000,
        queuePartition: 0,
        queueOffset: index,
      },
      {
        ...head,
        event: 'TaskSucceeded',
        workerId,
        eventId: uuidv7(),
        durationMs: 1,
        result: nullResult,
      },
    ],
  };
}

function log(topic: string, partition: number, values: readonly TaskEvent[]): LogRecord[] {
  return values.map((event, offset) => ({
    topic,
    partition,
    offset,
    key: null,
    value: codec.encode(event),
    appendedAt: event.occurredAt,
    leaderEpoch: 0,
  }));
}

/** CPU in microseconds of processes on this machine. */
function cpuOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10_000;
}

async function measure(url: string, tasks: number, behind: number): Promise<Row> {
  const logs: { topic: string; partition: number; records: LogRecord[] }[] = [];
  const all = Array.from({ length: tasks }, (_, index) => eventsOf(index));
  logs.push({
    topic: queue,
    partition: 0,
    records: log(
      queue,
      0,
      all.map((task) => task.queued),
    ),
  });
  for (let partition = 0; partition < EVENTS_PARTITIONS; partition++) {
    const own = all.filter((_, index) => index % EVENTS_PARTITIONS === partition).flatMap((task) => task.rest);
    logs.push({ topic: events, partition, records: log(events, partition, own) });
  }

  const effects = { ...tasksView({ onChanges: () => {} }), consumer: 'tasks' };
  const pool = createPostgresPool({
    url,
    applicationName: 'bench',
    logger: silentLogger,
    maxConnections: 1,
    pipeline: true,
    session: VIEW_SESSION,
  });
  await pool.query('truncate tasks, task_counts, dead_letters, consumer_positions');
  const flushes: FlushReport[] = [];
  let writes = 0;
  const consumer = new TransactionalConsumer({
    effects: {
      ...effects,
      committed: (outcome) => {
        writes += outcome.length;
        effects.committed?.(outcome);
      },
    },
    decoding: createDecoding({
      registry: { codec, learn: async () => false },
      wants: effects.wants,
      select: effects.select,
      logger: silentLogger,
      signal: new AbortController().signal,
    }),
    pool,
    logger: { ...silentLogger, warn: console.warn, error: console.error },
    check: { ok() {}, degraded() {}, failing() {} },
    park: async () => {},
    reread: () => {},
    onFlush: (flush) => flushes.push(flush),
  });
  await consumer.positions(logs.map(({ topic, partition }) => ({ topic, partition })));
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pids = rows.map((row) => row.pid);
  const postgresBefore = cpuOf(pids);
  const ownBefore = process.cpuUsage();
  const began = performance.now();

  const at = logs.map(() => 0);
  for (let queued = 0; at.some((next, index) => next < logs[index]!.records.length); queued += CHUNK) {
    for (const [index, { records }] of logs.entries()) {
      const until = index === 0 ? queued + CHUNK : Math.floor(((queued + CHUNK - behind) / EVENTS_PARTITIONS) * 2);
      const chunk = records.slice(at[index], Math.max(until, at[index]!));
      at[index]! += chunk.length;
      await consumer.take(chunk);
    }
    await new Promise(setImmediate);
  }
  await consumer.flushed();

  const seconds = (performance.now() - began) / 1000;
  const own = process.cpuUsage(ownBefore);
  const row = {
    tasks,
    behind,
    'tasks/s': Math.round(tasks / seconds),
    'projector µs/task': (own.user + own.system) / tasks,
    'PostgreSQL µs/task': (cpuOf(pids) - postgresBefore) / tasks,
    'writes/task': writes / tasks,
    flushes: flushes.length,
    'longest flush ms': Math.round(Math.max(...flushes.map((flush) => flush.durationMs))),
  };
  const counts = await pool.query<{ status: string; count: number }>(
    'select status, count from task_counts where count <> 0',
  );
  if (counts.rows.length !== 1 || counts.rows[0]?.count !== tasks) {
    throw new Error(`The view counts ${JSON.stringify(counts.rows)} after ${tasks} tasks`);
  }
  await pool.end();
  return row;
}

async function withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const server = new URL(process.env.TASKFLOW_POSTGRES_URL ?? 'postgres://taskflow:taskflow@127.0.0.1:25432/taskflow');
  const admin = new pg.Client({ connectionString: server.href });
  await admin.connect();
  const name = 'projection_flush_benchmark';
  await admin.query(`drop database if exists ${name}`);
  await admin.query(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const root = path.join(import.meta.dirname, '..', '..', '..');
  try {
    await migrate({
      url: url.href,
      owners: ['service', 'projector'].map((owner) => ({ owner, directory: path.join(root, owner, 'migrations') })),
    });
    return await work(url.href);
  } finally {
    await admin.query(`drop database ${name}`);
    await admin.end();
  }
}

const tasks = Number(process.argv[2] ?? 20_000);
const behind = process.argv[3] === undefined ? [0, 2_000, 20_000] : [Number(process.argv[3])];
await withDatabase(async (url) => {
  const rows: Row[] = [];
  await measure(url, 5_000, 0); // to compile what is hot
  for (const each of behind) for (let round = 0; round < 2; round++) rows.push(await measure(url, tasks, each));
  console.log(renderTable(rows));
});
