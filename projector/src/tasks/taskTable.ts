import type { TaskState } from '@taskflow/schemas/fold';
import { arrayParameter, columnParameter, type ElementType, rowsOf } from '@taskflow/service/postgresArrays';
import { TASK_COLUMNS, TASK_STATE_COLUMNS, type TaskStateRow, taskStateFromRow } from '@taskflow/service/taskRow';
import type { Write } from '@taskflow/service/transactionalConsumer';
import type { PoolClient } from 'pg';
import { type Continuation, leastVersionOf } from './continuation.ts';
import type { ViewChange } from './counts.ts';
import type { NewRows } from './newRows.ts';

/** A column of a statement's rows: its type, and its value for a task. */
interface Column<T> {
  readonly type: ElementType;
  readonly of: (item: T) => string | number | null;
}

type Columns<T> = Readonly<Record<string, Column<T>>>;

const IDENTITY = {
  id: { type: 'uuid', of: TASK_COLUMNS.id },
  user_id: { type: 'uuid', of: TASK_COLUMNS.user_id },
  type: { type: 'text', of: TASK_COLUMNS.type },
  priority: { type: 'text', of: TASK_COLUMNS.priority },
  run_id: { type: 'text', of: TASK_COLUMNS.run_id },
  step_id: { type: 'text', of: TASK_COLUMNS.step_id },
} as const satisfies Columns<TaskState>;

/** What any event may change. */
const COURSE = {
  status: { type: 'text', of: TASK_COLUMNS.status },
  version: { type: 'int8', of: TASK_COLUMNS.version },
  finished_at: { type: 'timestamptz', of: TASK_COLUMNS.finished_at },
  error_code: { type: 'text', of: TASK_COLUMNS.error_code },
  result: { type: 'text', of: TASK_COLUMNS.result },
  history: { type: 'text', of: TASK_COLUMNS.history },
} as const satisfies Columns<TaskState>;

const SUBMISSION = {
  created_at: { type: 'timestamptz', of: TASK_COLUMNS.created_at },
  tags: { type: 'text', of: TASK_COLUMNS.tags },
  payload: { type: 'text', of: TASK_COLUMNS.payload },
  options: { type: 'text', of: TASK_COLUMNS.options },
} as const satisfies Columns<TaskState>;

const INSERTED: Columns<TaskState> = { ...IDENTITY, ...COURSE, ...SUBMISSION };

const INSERTED_COLUMNS = Object.keys(INSERTED);
const INSERT = `insert into tasks (${INSERTED_COLUMNS.join(', ')})
    select ${INSERTED_COLUMNS.map((name) => (name === 'tags' ? 'row.tags::text[]' : `row.${name}`)).join(', ')}
    from ${rowsOfColumns(INSERTED)}`;

/** Of all but some whose ids are given. */
const INSERT_EXPECTED = {
  name: 'insert-expected-tasks',
  text: `${INSERT} where row.id <> all($${INSERTED_COLUMNS.length + 1}::uuid[])`,
};

const INSERT_MISSING = { name: 'insert-missing-tasks', text: `${INSERT} on conflict (id) do nothing` };

const CONTINUED: Columns<Continuation> = {
  id: { type: 'uuid', of: TASK_COLUMNS.id },
  least: { type: 'int8', of: leastVersionOf },
  ...COURSE,
};

// The new entries of a history stand behind the old ones: see `isContinuation`.
const CONTINUE = {
  name: 'continue-tasks',
  text: `with changed as (
      update tasks task set
        status = row.status,
        version = row.version,
        finished_at = row.finished_at,
        error_code = row.error_code,
        result = row.result,
        history = left(task.history, -1) || ',' || substr(row.history, 2)
      from ${rowsOfColumns(CONTINUED)}
      where task.id = row.id and task.version < row.least and task.payload is not null
      returning new.user_id, new.type, old.status as old_status, old.error_code as old_code, new.status, new.error_code
    )
    select user_id, type, old_status, old_code, status, error_code, count(*) as count from changed
    group by user_id, type, old_status, old_code, status, error_code`,
};

/** The row before, locked, and what it becomes. */
export interface RowUpdate {
  readonly before: TaskState;
  readonly after: TaskState;
}

const after =
  (column: (state: TaskState) => string | number | null) =>
  ({ after: state }: RowUpdate) =>
    column(state);

/** The submission of a task mostly stays as it is: null leaves it so, and a large payload is not sent again. */
const unlessKept =
  (column: (state: TaskState) => string | number | null) =>
  ({ before, after: state }: RowUpdate) =>
    before.submittedBy === state.submittedBy ? null : column(state);

const UPDATED: Columns<RowUpdate> = {
  id: { type: 'uuid', of: after(TASK_COLUMNS.id) },
  created_at: { type: 'timestamptz', of: after(TASK_COLUMNS.created_at) },
  ...Object.fromEntries(Object.entries(COURSE).map(([name, { type, of }]) => [name, { type, of: after(of) }])),
  tags: { type: 'text', of: unlessKept(TASK_COLUMNS.tags) },
  payload: { type: 'text', of: unlessKept(TASK_COLUMNS.payload) },
  options: { type: 'text', of: unlessKept(TASK_COLUMNS.options) },
};

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
    from ${rowsOfColumns(UPDATED)}
    where task.id = row.id`,
};

const LOCK_OTHERS = {
  name: 'lock-tasks',
  text: `select ${TASK_STATE_COLUMNS} from tasks
    where id = any($1::uuid[]) and xmin <> pg_current_xact_id()::xid
    order by id
    for update`,
};

function rowsOfColumns<T>(columns: Columns<T>): string {
  return rowsOf(Object.fromEntries(Object.entries(columns).map(([name, { type }]) => [name, type])));
}

function parameters<T>(columns: Columns<T>, items: readonly T[]): Buffer[] {
  return Object.values(columns).map(({ type, of }) => columnParameter(type, items, of));
}

/** What `insertNew` left. */
export interface NotInserted {
  /** How many have rows. */
  readonly count: number;
  /** Those are among these. */
  readonly among: readonly TaskState[];
}

/**
 * Inserts rows for the tasks that have none. `states` are sorted by id. Rejects where a row is there that was expected to be new.
 */
export function insertNew(states: readonly TaskState[], newRows: NewRows): Write<NotInserted> {
  if (states.length === 0) return async () => ({ count: 0, among: [] });
  const values = parameters(INSERTED, states);
  return async (tx) => {
    if (!newRows.areExpected) {
      const { rowCount } = await tx.query({ ...INSERT_MISSING, values });
      return { count: states.length - (rowCount ?? 0), among: states };
    }
    const known = newRows.known(states);
    const except = arrayParameter(
      'uuid',
      known.map(({ id }) => id),
    );
    await tx.query({ ...INSERT_EXPECTED, values: [...values, except] });
    return { count: known.length, among: known };
  };
}

/** The same, but returns the ids of the rows that are new. */
export async function insertMissing(tx: PoolClient, states: readonly TaskState[]): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ id: string }>({
    name: `${INSERT_MISSING.name}-returning`,
    text: `${INSERT_MISSING.text} returning id`,
    values: parameters(INSERTED, states),
  });
  return new Set(rows.map(({ id }) => id));
}

/** Continues the rows that stand where all of this is still to come; returns what that changed, in groups. `states` are sorted by id. */
export function continueRows(states: readonly Continuation[]): Write<readonly ViewChange[]> {
  if (states.length === 0) return async () => [];
  const statement = { ...CONTINUE, values: parameters(CONTINUED, states) };
  return async (tx) => (await tx.query<ContinuedRows>(statement)).rows.map(viewChangeOf);
}

/** Rows that were continued alike. */
interface ContinuedRows {
  readonly user_id: string;
  readonly type: string;
  readonly old_status: string;
  readonly old_code: string | null;
  readonly status: string;
  readonly error_code: string | null;
  readonly count: number;
}

function viewChangeOf(rows: ContinuedRows): ViewChange {
  return {
    task: { userId: rows.user_id, type: rows.type },
    before: { status: rows.old_status, errorCode: rows.old_code },
    after: { status: rows.status, errorCode: rows.error_code },
    count: rows.count,
  };
}

/** Updates locked rows. `updates` are sorted by id. */
export async function update(tx: PoolClient, updates: readonly RowUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  await tx.query({ ...UPDATE, values: parameters(UPDATED, updates) });
}

/** The states of those of the tasks whose rows were not written by this transaction, locked in the order of their ids. */
export async function lockOthers(tx: PoolClient, ids: readonly string[]): Promise<TaskState[]> {
  const { rows } = await tx.query<TaskStateRow>({ ...LOCK_OTHERS, values: [arrayParameter('uuid', ids)] });
  return rows.map(taskStateFromRow);
}
