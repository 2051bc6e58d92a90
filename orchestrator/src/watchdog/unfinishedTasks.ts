import type { TaskState, TaskStatus } from '@taskflow/schemas/fold';
import { type TaskStateRow, taskStateFromRow } from '@taskflow/service/taskRow';
import type { Pool } from 'pg';

/** Where a look through the tasks of a status has come to, in the order of their submission. */
export interface Cursor {
  readonly createdAt: number;
  readonly id: string;
}

export interface ScannedTask {
  readonly id: string;
  readonly type: string;
  readonly priority: string;
  readonly createdAt: number;
}

export const beginning: Cursor = { createdAt: 0, id: '00000000-0000-0000-0000-000000000000' };

/** The next tasks of the view that have this status, submitted up to a time, behind the cursor; along its index. */
export async function scanTasks(
  db: Pool,
  status: TaskStatus,
  { createdAt, id }: Cursor,
  upTo: number,
  limit: number,
): Promise<ScannedTask[]> {
  const { rows } = await db.query<{ id: string; type: string; priority: string; created_at: number }>({
    name: 'scan-tasks',
    text: `select id, type, priority, created_at from tasks
      where status = $1 and payload is not null and status <> 'success'
        and (created_at, id) > ($2, $3) and created_at <= $4
      order by created_at, id limit $5`,
    values: [status, new Date(createdAt), id, new Date(upTo), limit],
  });
  return rows.map((row) => ({ id: row.id, type: row.type, priority: row.priority, createdAt: row.created_at }));
}

/** The states of those of the tasks for which nothing is due and nothing waits to be sent. Without their submissions, which may be large. */
export async function readIdleTasks(db: Pool, ids: readonly string[]): Promise<TaskState[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.query<TaskStateRow>({
    name: 'read-idle-tasks',
    text: `select id, user_id, type, priority, run_id, step_id, null as payload, null as options, null as result, history
      from tasks task
      where id = any($1::uuid[])
        and not exists (select from timers where task_id = task.id and kind is not null)
        and not exists (select from outbox where task_id = task.id)`,
    values: [ids],
  });
  return rows.map(taskStateFromRow);
}

/** The state of a task with its submission. */
export async function readTask(db: Pool, id: string): Promise<TaskState | undefined> {
  const { rows } = await db.query<TaskStateRow>(
    `select id, user_id, type, priority, run_id, step_id, payload, options, result, history from tasks where id = $1`,
    [id],
  );
  return rows[0] && taskStateFromRow(rows[0]);
}
