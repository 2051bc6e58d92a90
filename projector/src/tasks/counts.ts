import type { TaskState } from '@taskflow/schemas/fold';
import { arrayParameter } from '@taskflow/service/postgresArrays';
import type { PoolClient } from 'pg';

/** A table that says of how many shown tasks something holds, for each user and type; written in the transactions that change the tasks. */
export interface CountTable {
  readonly name: string;
  /** The column that says what is counted. */
  readonly column: string;
  /** What a task counts as; undefined: it does not. */
  readonly groupOf: (state: TaskState) => string | undefined;
}

export const taskCounts: CountTable = {
  name: 'task_counts',
  column: 'status',
  groupOf: ({ status }) => status,
};

/** Failed tasks by the code of their error. */
export const deadLetters: CountTable = {
  name: 'dead_letters',
  column: 'code',
  groupOf: ({ status, error }) => (status === 'failed' ? error?.code : undefined),
};

/** By how much one number of a table changes. */
export interface CountChange {
  readonly userId: string;
  readonly type: string;
  readonly group: string;
  readonly by: number;
}

/** A task before and after a flush; `undefined` before where it had no row. */
export interface StateChange {
  readonly before: TaskState | undefined;
  readonly after: TaskState;
}

/** What the changes of a flush do to the counts, in the order in which the rows are locked. Only tasks with a submission count. */
export function countChanges({ groupOf }: CountTable, changes: readonly StateChange[]): CountChange[] {
  const counts = new Map<string, { userId: string; type: string; group: string; by: number }>();
  const add = ({ userId, type }: TaskState, group: string, by: number): void => {
    const key = `${userId} ${type} ${group}`;
    const count = counts.get(key);
    if (count === undefined) counts.set(key, { userId, type, group, by });
    else count.by += by;
  };
  const shownGroup = (state: TaskState | undefined): string | undefined =>
    state === undefined || state.submission === null ? undefined : groupOf(state);
  for (const { before, after } of changes) {
    const [from, to] = [shownGroup(before), shownGroup(after)];
    if (from === to) continue;
    if (before !== undefined && from !== undefined) add(before, from, -1);
    if (to !== undefined) add(after, to, 1);
  }
  return [...counts]
    .filter(([, count]) => count.by !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, count]) => count);
}

export async function applyCountChanges(
  tx: PoolClient,
  { name, column }: CountTable,
  changes: readonly CountChange[],
): Promise<void> {
  if (changes.length === 0) return;
  await tx.query({
    name: `upsert-${name}`,
    text: `insert into ${name} as counts (user_id, type, ${column}, count)
      select * from unnest($1::uuid[], $2::text[], $3::text[], $4::int8[])
      on conflict (user_id, type, ${column}) do update set count = counts.count + excluded.count`,
    values: [
      arrayParameter(
        'uuid',
        changes.map((change) => change.userId),
      ),
      arrayParameter(
        'text',
        changes.map((change) => change.type),
      ),
      arrayParameter(
        'text',
        changes.map((change) => change.group),
      ),
      arrayParameter(
        'int8',
        changes.map((change) => change.by),
      ),
    ],
  });
}
