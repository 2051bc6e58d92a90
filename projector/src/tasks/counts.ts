import type { TaskState } from '@taskflow/schemas/fold';
import { arrayParameter } from '@taskflow/service/postgresArrays';
import type { PoolClient } from 'pg';

/** What the counts go by in a task that is shown. */
export interface Shown {
  readonly status: string;
  readonly errorCode: string | null;
}

/** Tasks of one user and type that have changed alike; `undefined` where they were, or are, not shown. */
export interface ViewChange {
  readonly task: { readonly userId: string; readonly type: string };
  readonly before: Shown | undefined;
  readonly after: Shown | undefined;
  /** How many tasks. */
  readonly count: number;
}

/** Only tasks with a submission are shown. */
export function shownOf({ submission, status, error }: TaskState): Shown | undefined {
  return submission === null ? undefined : { status, errorCode: error === null ? null : error.code };
}

/** A table that says of how many shown tasks something holds, for each user and type; written in the transactions that change the tasks. */
export interface CountTable {
  readonly name: string;
  /** The column that says what is counted. */
  readonly column: string;
  /** What a task counts as; undefined: it does not. */
  readonly groupOf: (shown: Shown) => string | undefined;
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
  groupOf: ({ status, errorCode }) => (status === 'failed' ? (errorCode ?? undefined) : undefined),
};

/** By how much one number of a table changes. */
export interface CountChange {
  readonly userId: string;
  readonly type: string;
  readonly group: string;
  readonly by: number;
}

/** What the changes of a flush do to the counts, in the order in which the rows are locked. */
export function countChanges({ groupOf }: CountTable, changes: readonly ViewChange[]): CountChange[] {
  const counts = new Map<string, { userId: string; type: string; group: string; by: number }>();
  // Mostly it is the same as of the task before.
  let last = { userId: '', type: '', group: '', by: 0 };
  const add = ({ userId, type }: ViewChange['task'], group: string, by: number): void => {
    if (last.group !== group || last.type !== type || last.userId !== userId) {
      const key = `${userId} ${type} ${group}`;
      last = counts.get(key) ?? { userId, type, group, by: 0 };
      counts.set(key, last);
    }
    last.by += by;
  };
  for (const { task, before, after, count } of changes) {
    const from = before && groupOf(before);
    const to = after && groupOf(after);
    if (from === to) continue;
    if (from !== undefined) add(task, from, -count);
    if (to !== undefined) add(task, to, count);
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
