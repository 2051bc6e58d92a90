import type { LogRecord } from '@taskflow/log/logRecord';
import type { TaskEvent } from '@taskflow/schemas/events';
import { evolve, type TaskState } from '@taskflow/schemas/fold';
import type { Pool } from '@taskflow/service/postgres';
import { TASK_STATE_COLUMNS, type TaskRow, taskStateFromRow } from '@taskflow/service/taskRow';
import { expect } from 'chai';

/** The fold of a log, in the order in which the records are given. */
export function foldOf(
  log: readonly { readonly record: LogRecord; readonly event: TaskEvent }[],
): Map<string, TaskState> {
  const states = new Map<string, TaskState>();
  for (const { record, event } of log) {
    const { topic, partition, offset, appendedAt } = record;
    states.set(event.taskId, evolve(states.get(event.taskId), { event, topic, partition, offset, appendedAt }));
  }
  return states;
}

/** Holds the view to the fold, row by row, and the counts to the rows. `type` names the tasks concerned; all if absent. */
export async function expectView(pool: Pool, expected: ReadonlyMap<string, TaskState>, type?: string): Promise<void> {
  const { rows } = await pool.query<TaskRow>(
    `select ${TASK_STATE_COLUMNS}, status, version, created_at, finished_at, error_code from tasks
     where $1::text is null or type = $1`,
    [type ?? null],
  );
  const shown = new Map(rows.map((row) => [row.id, taskStateFromRow(row)]));
  expect([...shown.keys()].sort()).to.deep.equal([...expected.keys()].sort());
  for (const [id, state] of expected) expect(shown.get(id), id).to.deep.equal(state);
  for (const row of rows) {
    const { status, version, createdAt, finishedAt, error } = expected.get(row.id)!;
    expect(row).to.include({
      status,
      version,
      created_at: createdAt,
      finished_at: finishedAt,
      error_code: error?.code ?? null,
    });
  }
  await expectCounts(pool, type);
}

/** Holds the counts to the rows that are shown. */
export async function expectCounts(pool: Pool, type?: string): Promise<void> {
  const wrong = async (table: string, column: string, counted: string) => {
    const { rows } = await pool.query(
      `with counted as (
         select user_id, type, ${counted} as ${column}, count(*) from tasks
         where payload is not null and (status = 'failed' or ${table === 'task_counts'}) group by 1, 2, 3
       )
       select user_id, type, ${column}, c.count as rows, k.count as count
       from counted c full join ${table} k using (user_id, type, ${column})
       where coalesce(c.count, 0) <> coalesce(k.count, 0) and ($1::text is null or type = $1)`,
      [type ?? null],
    );
    return rows;
  };
  expect(await wrong('task_counts', 'status', 'status')).to.deep.equal([]);
  expect(await wrong('dead_letters', 'code', 'error_code')).to.deep.equal([]);
}
