import type { TaskState } from '@taskflow/schemas/fold';
import { arrayParameter } from '@taskflow/service/postgresArrays';
import type { PoolClient } from 'pg';

/** By how much one number of `task_counts` changes. */
export interface CountChange {
  readonly userId: string;
  readonly type: string;
  readonly status: string;
  readonly by: number;
}

/** A task before and after a flush; `undefined` before where it had no row. */
export interface StateChange {
  readonly before: TaskState | undefined;
  readonly after: TaskState;
}

/** What the changes of a flush do to the counts, in the order in which the rows are locked. Only tasks with a submission count. */
export function countChanges(changes: readonly StateChange[]): CountChange[] {
  const counts = new Map<string, { userId: string; type: string; status: string; by: number }>();
  const add = (state: TaskState | undefined, by: number): void => {
    if (state === undefined || state.submission === null) return;
    const { userId, type, status } = state;
    const key = `${userId} ${type} ${status}`;
    const count = counts.get(key);
    if (count === undefined) counts.set(key, { userId, type, status, by });
    else count.by += by;
  };
  for (const { before, after } of changes) {
    if (before?.submission && after.submission && before.status === after.status) continue;
    add(before, -1);
    add(after, 1);
  }
  return [...counts]
    .filter(([, count]) => count.by !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, count]) => count);
}

const UPSERT = {
  name: 'upsert-task-counts',
  text: `insert into task_counts as counts (user_id, type, status, count)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::int8[])
    on conflict (user_id, type, status) do update set count = counts.count + excluded.count`,
};

export async function applyCountChanges(tx: PoolClient, changes: readonly CountChange[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.query({
    ...UPSERT,
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
        changes.map((change) => change.status),
      ),
      arrayParameter(
        'int8',
        changes.map((change) => change.by),
      ),
    ],
  });
}
