import type { Timer, TimerRow } from '@taskflow/core/timers';
import type { Task } from '@taskflow/schemas/events';
import { arrayParameter, type ElementType, rowsOf } from '@taskflow/service/postgresArrays';
import type { Pool, PoolClient } from 'pg';
import { type Lane, laneParameters } from '../topics.ts';

interface Columns {
  readonly task_id: string;
  readonly user_id: string;
  readonly type: string;
  readonly priority: string;
  readonly run_id: string | null;
  readonly step_id: string | null;
  readonly events_partition: number;
  readonly version: number;
  readonly generation: number;
  readonly attempt: number;
  readonly ended_at: number | null;
  readonly kind: string | null;
  readonly due_at: number | null;
  readonly lease_ms: number | null;
  readonly released: boolean | null;
  readonly task: string | null;
  readonly failures: number | null;
  readonly recoveries: number | null;
}

const identity = {
  task_id: 'uuid',
  user_id: 'uuid',
  type: 'text',
  priority: 'text',
  run_id: 'text',
  step_id: 'text',
} as const satisfies Partial<Record<keyof Columns, ElementType>>;

const changing = {
  events_partition: 'int4',
  version: 'int8',
  generation: 'int4',
  attempt: 'int4',
  ended_at: 'timestamptz',
  kind: 'text',
  due_at: 'timestamptz',
  lease_ms: 'int4',
  released: 'boolean',
  task: 'text',
  failures: 'int4',
  recoveries: 'int4',
} as const satisfies Partial<Record<keyof Columns, ElementType>>;

const all: Readonly<Record<keyof Columns, ElementType>> = { ...identity, ...changing };
const names = Object.keys(all) as (keyof Columns)[];

const lock = {
  name: 'lock-timers',
  text: `select ${names.join(', ')} from timers where task_id = any($1::uuid[]) order by task_id for update`,
};

const insert = {
  name: 'insert-timers',
  text: `insert into timers (${names.join(', ')})
    select ${names.map((name) => `row.${name}`).join(', ')} from ${rowsOf(all)}
    on conflict (task_id) do nothing
    returning task_id`,
};

const updated = { task_id: 'uuid', ...changing } as const;

const update = {
  name: 'update-timers',
  text: `update timers timer set ${Object.keys(changing)
    .map((name) => `${name} = row.${name}`)
    .join(', ')}
    from ${rowsOf(updated)} where timer.task_id = row.task_id`,
};

/** The clock that judges all timers, in milliseconds. */
export async function clockOf(db: Pool | PoolClient): Promise<number> {
  const { rows } = await db.query<{ now: number }>({ name: 'clock', text: 'select clock_timestamp() as now' });
  return rows[0]!.now;
}

/** Locks the rows of these tasks, in the order of their ids, and gives those that there are. */
export async function lockTimers(tx: PoolClient, taskIds: readonly string[]): Promise<Map<string, TimerRow>> {
  if (taskIds.length === 0) return new Map();
  const { rows } = await tx.query<Columns>({ ...lock, values: [arrayParameter('uuid', taskIds)] });
  return new Map(rows.map((columns) => [columns.task_id, rowOf(columns)]));
}

/** Inserts rows, and gives the ids of those that were not there; whose row somebody else has made meanwhile is left out. */
export async function insertTimers(tx: PoolClient, rows: readonly TimerRow[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const answer = await tx.query<{ task_id: string }>({ ...insert, values: parameters(all, inOrder(rows)) });
  return new Set(answer.rows.map(({ task_id }) => task_id));
}

/** Writes rows that are there and locked. */
export async function updateTimers(tx: PoolClient, rows: readonly TimerRow[]): Promise<void> {
  if (rows.length > 0) await tx.query({ ...update, values: parameters(updated, inOrder(rows)) });
}

/** The tasks of these lanes that have a row and have not ended, with their generations. */
export async function readOpenTasks(db: Pool, lanes: readonly Lane[]): Promise<(readonly [string, number])[]> {
  const { rows } = await db.query<{ task_id: string; generation: number }>(
    `select task_id, generation from timers
     where ended_at is null and (type, priority, events_partition) in (select * from unnest($1::text[], $2::text[], $3::int[]))`,
    laneParameters(lanes),
  );
  return rows.map(({ task_id, generation }) => [task_id, generation] as const);
}

/** core's `restartLease` for all of these lanes at once. */
export async function restartLeases(db: Pool, lanes: readonly Lane[]): Promise<number> {
  if (lanes.length === 0) return 0;
  const { rowCount } = await db.query(
    `update timers set due_at = greatest(due_at, clock_timestamp() + lease_ms * interval '1 millisecond')
     where kind = 'lease' and due_at is not null
       and (type, priority, events_partition) in (select * from unnest($1::text[], $2::text[], $3::int[]))`,
    laneParameters(lanes),
  );
  return rowCount ?? 0;
}

/** Deletes rows of tasks that ended so long ago that no late event comes any more; some at a time. */
export async function forgetEnded(db: Pool, rememberEndedMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from timers where task_id in (
       select task_id from timers where ended_at <= clock_timestamp() - $1::float8 * interval '1 millisecond'
       order by ended_at limit 10000 for update skip locked)`,
    [rememberEndedMs],
  );
  return rowCount ?? 0;
}

function inOrder(rows: readonly TimerRow[]): Columns[] {
  return rows.toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1)).map(columnsOf);
}

function parameters(columns: Readonly<Record<string, ElementType>>, rows: readonly Columns[]): Buffer[] {
  return Object.entries(columns).map(([name, type]) =>
    arrayParameter(
      type,
      rows.map((row) => row[name as keyof Columns]),
    ),
  );
}

function columnsOf({ timer, ...row }: TimerRow): Columns {
  return {
    task_id: row.taskId,
    user_id: row.userId,
    type: row.type,
    priority: row.priority,
    run_id: row.runId,
    step_id: row.stepId,
    events_partition: row.eventsPartition,
    version: row.version,
    generation: row.generation,
    attempt: row.attempt,
    ended_at: row.endedAt,
    kind: timer?.kind ?? null,
    due_at: timer?.due ?? null,
    lease_ms: timer?.leaseMs ?? null,
    released: timer?.released ?? null,
    task: timer === null ? null : JSON.stringify(timer.task),
    failures: timer?.failures ?? null,
    recoveries: timer?.recoveries ?? null,
  };
}

function rowOf(columns: Columns): TimerRow {
  return {
    taskId: columns.task_id,
    userId: columns.user_id,
    type: columns.type,
    priority: columns.priority,
    runId: columns.run_id,
    stepId: columns.step_id,
    eventsPartition: columns.events_partition,
    version: columns.version,
    generation: columns.generation,
    attempt: columns.attempt,
    endedAt: columns.ended_at,
    timer: timerOf(columns),
  };
}

function timerOf({ kind, due_at, lease_ms, released, task, failures, recoveries }: Columns): Timer | null {
  if (kind === null || task === null) return null;
  return {
    kind: kind as Timer['kind'],
    due: due_at,
    leaseMs: lease_ms ?? 0,
    released: released ?? false,
    task: JSON.parse(task) as Task,
    failures: failures ?? 0,
    recoveries: recoveries ?? 0,
  };
}
