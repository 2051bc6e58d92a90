import type { LogRecord } from '@taskflow/log/logRecord';
import { tasksView } from '@taskflow/projector/projections';
import { VIEW_SESSION } from '@taskflow/projector/viewSession';
import { createDecoding } from '@taskflow/service/decoding';
import { silentLogger } from '@taskflow/service/logger';
import { createPostgresPool, type Pool } from '@taskflow/service/postgres';
import { type FlushReport, TransactionalConsumer } from '@taskflow/service/transactionalConsumer';
import type { Table } from '../benchmark.ts';
import { scaled } from '../options.ts';
import { readProcessTree } from '../processTree.ts';
import { treeUsage } from '../processUsage.ts';
import { withEmptyDatabase } from '../system/emptyDatabase.ts';
import type { Row } from '../table.ts';
import { codec, EVENTS, noopTask, QUEUE, recordsOf } from './noopEvents.ts';

const EVENTS_PARTITIONS = 3;
const CHUNK = 500;
const TASKS = scaled(20_000);
/** How many tasks are queued before the first of them runs: 0 meets all events of a task in one flush, many write each task twice. */
const BEHIND = [0, TASKS / 10, TASKS];

/**
 * What a task costs the view `tasks`: its three events, as records of a log, through decoding, fold and the transactional consumer
 * into PostgreSQL. No broker: records come from memory, as fast as they are taken.
 */
export async function projectionFlushTable(postgresUrl: string): Promise<Table> {
  return withEmptyDatabase(postgresUrl, 'projection_flush', async (url) => {
    await measure(url, 5_000, 0); // to compile what is hot
    const rows: Row[] = [];
    for (const behind of BEHIND) {
      for (let round = 0; round < 2; round++) rows.push(await measure(url, TASKS, behind));
    }
    return { title: 'projection flush, the view `tasks`', rows };
  });
}

async function measure(url: string, tasks: number, behind: number): Promise<Row> {
  const logs = logsOf(tasks);
  const pool = createPostgresPool({
    url,
    applicationName: 'bench',
    logger: silentLogger,
    maxConnections: 1,
    pipeline: true,
    session: VIEW_SESSION,
  });
  await pool.query('truncate tasks, task_counts, dead_letters, consumer_positions');
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const postgres = (): number => treeUsage(rows[0]!.pid, readProcessTree(), new Set())!.cpuMicros;
  const flushes: FlushReport[] = [];
  let writes = 0;
  const consumer = viewConsumer(pool, {
    onFlush: (flush) => flushes.push(flush),
    onWritten: (more) => (writes += more),
  });
  await consumer.positions(logs.map(([first]) => first!));
  const postgresBefore = postgres();
  const ownBefore = process.cpuUsage();
  const began = performance.now();

  const at = logs.map(() => 0);
  for (let queued = 0; at.some((next, index) => next < logs[index]!.length); queued += CHUNK) {
    for (const [index, records] of logs.entries()) {
      const until = index === 0 ? queued + CHUNK : Math.floor(((queued + CHUNK - behind) / EVENTS_PARTITIONS) * 2);
      const chunk = records.slice(at[index], Math.max(until, at[index]!));
      at[index]! += chunk.length;
      await consumer.take(chunk);
    }
    await new Promise(setImmediate);
  }
  await consumer.flushed();

  const seconds = (performance.now() - began) / 1_000;
  const own = process.cpuUsage(ownBefore);
  const postgresMicros = postgres() - postgresBefore;
  const counts = await pool.query<{ count: string }>('select sum(count) as count from task_counts');
  if (Number(counts.rows[0]?.count) !== tasks) throw new Error(`the view counts ${counts.rows[0]?.count} of ${tasks}`);
  await pool.end();
  return {
    tasks,
    behind,
    'tasks/s': Math.round(tasks / seconds),
    'projector µs/task': (own.user + own.system) / tasks,
    'PostgreSQL µs/task': postgresMicros / tasks,
    'writes/task': writes / tasks,
    flushes: flushes.length,
    'longest flush ms': Math.round(Math.max(...flushes.map((flush) => flush.durationMs))),
  };
}

/** The queue's partition, and those of the events. */
function logsOf(tasks: number): LogRecord[][] {
  const all = Array.from({ length: tasks }, (_, index) => noopTask(index, index % EVENTS_PARTITIONS));
  const queued = all.map((task) => task.queued);
  const events = Array.from({ length: EVENTS_PARTITIONS }, (_, partition) =>
    all.filter((_, index) => index % EVENTS_PARTITIONS === partition).flatMap((task) => [task.started, task.succeeded]),
  );
  return [recordsOf(QUEUE, 0, queued), ...events.map((each, partition) => recordsOf(EVENTS, partition, each))];
}

/** As the projector makes it. */
function viewConsumer(
  pool: Pool,
  { onFlush, onWritten }: { onFlush: (flush: FlushReport) => void; onWritten: (tasks: number) => void },
) {
  const view = { ...tasksView({ onChanges: () => {} }), consumer: 'tasks' };
  return new TransactionalConsumer({
    effects: {
      ...view,
      committed(outcome) {
        onWritten(outcome.length);
        view.committed?.(outcome);
      },
    },
    decoding: createDecoding({
      registry: { codec, learn: async () => false },
      wants: view.wants,
      select: view.select,
      logger: silentLogger,
      signal: new AbortController().signal,
    }),
    pool,
    logger: { ...silentLogger, warn: console.warn, error: console.error },
    check: { ok() {}, degraded() {}, failing() {} },
    park: async () => {},
    reread: () => {},
    onFlush,
  });
}
