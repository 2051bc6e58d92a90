import type { TaskState } from '@taskflow/schemas/fold';
import { arrayParameter, type ElementType } from '@taskflow/service/postgresArrays';
import { rowOfTaskState, TASK_STATE_COLUMNS, type TaskStateRow, taskStateFromRow } from '@taskflow/service/taskRow';
import type { PoolClient } from 'pg';

type Row = ReturnType<typeof rowOfTaskState>;

/** What an update sets, with the type of each. */
const MUTABLE = {
  status: 'text',
  version: 'int8',
  created_at: 'timestamptz',
  finished_at: 'timestamptz',
  error_code: 'text',
  tags: 'text',
  payload: 'text',
  options: 'text',
  result: 'text',
  history: 'text',
} as const satisfies Partial<Record<keyof Row, ElementType>>;

const ALL = {
  id: 'uuid',
  user_id: 'uuid',
  type: 'text',
  priority: 'text',
  run_id: 'text',
  step_id: 'text',
  ...MUTABLE,
} as const satisfies Record<keyof Row, ElementType>;

type Columns = Readonly<Record<string, ElementType>>;

/** `unnest($1::uuid[], …) as row(id, …)` */
function unnest(columns: Columns): string {
  const parameters = Object.values(columns).map((type, index) => `$${index + 1}::${type}[]`);
  return `unnest(${parameters.join(', ')}) as row(${Object.keys(columns).join(', ')})`;
}

const names = Object.keys(ALL);

const INSERT = {
  name: 'insert-tasks',
  text: `insert into tasks (${names.join(', ')})
    select ${names.map((name) => (name === 'tags' ? 'row.tags::text[]' : `row.${name}`)).join(', ')}
    from ${unnest(ALL)}
    on conflict (id) do nothing`,
};

const UPDATED: Columns = { id: 'uuid', expected: 'xid', ...MUTABLE };

// The submission of a task does not change but by a redrive: null leaves it as it is, and a large payload is not sent again.
const UPDATE = {
  name: 'update-tasks',
  text: `update tasks task set
      status = row.status,
      version = row.version,
      created_at = row.created_at,
      finished_at = row.finished_at,
      error_code = row.error_code,
      tags = case when row.payload is null then task.tags else row.tags::text[] end,
      payload = coalesce(row.payload, task.payload),
      options = coalesce(row.options, task.options),
      result = row.result,
      history = row.history
    from ${unnest(UPDATED)}
    where task.id = row.id and (row.expected is null or task.xmin = row.expected)`,
};

const LOCK_OTHERS = {
  name: 'lock-tasks',
  text: `select ${TASK_STATE_COLUMNS} from tasks
    where id = any($1::uuid[]) and xmin <> pg_current_xact_id()::xid
    order by id
    for update`,
};

/** How an update changes a row, and the transaction that must have written the row last; null where the row is locked. */
export interface RowUpdate {
  readonly before: TaskState;
  readonly after: TaskState;
  readonly expectedXid: number | null;
}

/** The number that rows written in this transaction have as their `xmin`. */
export async function currentXid(tx: PoolClient): Promise<number> {
  const { rows } = await tx.query<{ xid: string }>({
    name: 'current-xid',
    text: 'select pg_current_xact_id()::xid::text as xid',
  });
  return Number(rows[0]!.xid);
}

/** Inserts rows for the tasks that have none, and returns how many. `states` are sorted by id. */
export async function insertNew(tx: PoolClient, states: readonly TaskState[]): Promise<number> {
  if (states.length === 0) return 0;
  const rows = states.map(rowOfTaskState);
  const { rowCount } = await tx.query({ ...INSERT, values: parameters(ALL, rows) });
  return rowCount ?? 0;
}

/** Updates the rows that are as expected, and returns how many. `updates` are sorted by id. */
export async function update(tx: PoolClient, updates: readonly RowUpdate[]): Promise<number> {
  if (updates.length === 0) return 0;
  const rows = updates.map(updatedRow);
  const { rowCount } = await tx.query({ ...UPDATE, values: parameters(UPDATED, rows) });
  return rowCount ?? 0;
}

/** The states of those of the tasks whose rows were not written by this transaction, locked in the order of their ids. */
export async function lockOthers(tx: PoolClient, ids: readonly string[]): Promise<TaskState[]> {
  const { rows } = await tx.query<TaskStateRow>({ ...LOCK_OTHERS, values: [arrayParameter('uuid', ids)] });
  return rows.map(taskStateFromRow);
}

function updatedRow({ before, after, expectedXid }: RowUpdate) {
  const row = { ...rowOfTaskState(after), expected: expectedXid };
  return before.submittedBy === after.submittedBy ? { ...row, tags: null, payload: null, options: null } : row;
}

function parameters<R extends object>(columns: Columns, rows: readonly R[]): Buffer[] {
  return Object.entries(columns).map(([name, type]) =>
    arrayParameter(
      type,
      rows.map((row) => row[name as keyof R] as string | number | null),
    ),
  );
}
