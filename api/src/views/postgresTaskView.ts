import { isTransient, type Pool } from '@taskflow/service/postgres';
import { TASK_STATE_COLUMNS, type TaskStateRow, taskStateFromRow } from '@taskflow/service/taskRow';
import type { Keyset } from '../http/cursor.ts';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';
import type { ShownState } from './taskAnswer.ts';
import { ownerSeen, statementValues, taskConditions } from './taskConditions.ts';
import type { TaskCount, TaskFilters, TaskView } from './taskView.ts';

const GET = {
  name: 'task-get',
  text: `select ${TASK_STATE_COLUMNS} from tasks
         where id = $1 and payload is not null and ($2::uuid is null or user_id = $2)`,
};

const GET_MANY = {
  name: 'task-get-many',
  text: `select ${TASK_STATE_COLUMNS} from tasks
         where id = any($1::uuid[]) and payload is not null and ($2::uuid is null or user_id = $2)`,
};

const COUNTS = {
  name: 'task-counts',
  text: `select type, status, sum(count)::bigint as count from task_counts
         where ($1::uuid is null or user_id = $1) and ($2::text is null or type = $2)
         group by type, status having sum(count) > 0 order by type, status`,
};

const DEAD_LETTERS = {
  name: 'dead-letters',
  text: `select letters.type, code, sum(count)::bigint as count, max(last.finished_at) as last_at
         from dead_letters letters left join lateral (
           select finished_at from tasks
           where user_id = letters.user_id and type = letters.type and error_code = letters.code
             and payload is not null and status = 'failed'
           order by finished_at desc limit 1
         ) last on true
         where count > 0 and ($1::uuid is null or user_id = $1) and ($2::text is null or letters.type = $2)
         group by letters.type, code order by letters.type, code`,
};

/** The view `tasks` in PostgreSQL. */
export function postgresTaskView(pool: Pool): TaskView {
  return {
    async get(principal, id) {
      const { rows } = await ask(() => pool.query<TaskStateRow>({ ...GET, values: [id, ownerSeen(principal)] }));
      return rows[0] && shown(rows[0]);
    },
    async getMany(principal, ids) {
      const values = [ids, ownerSeen(principal)];
      const { rows } = await ask(() => pool.query<TaskStateRow>({ ...GET_MANY, values }));
      return new Map(rows.map((row) => [row.id, shown(row)]));
    },
    async page(principal, filters, limit, after) {
      const query = pageQuery(principal, filters, limit, after);
      const { rows } = await ask(() => pool.query<TaskStateRow>(query));
      return rows.map(shown);
    },
    async counts(principal, { user, type }) {
      const values = [ownerSeen(principal) ?? user, type];
      const { rows } = await ask(() => pool.query<TaskCount>({ ...COUNTS, values }));
      return rows.map((row) => ({ type: row.type, status: row.status, count: row.count }));
    },
    async deadLetters(principal, { user, type }) {
      const values = [ownerSeen(principal) ?? user, type];
      const { rows } = await ask(() => pool.query<DeadLetterRow>({ ...DEAD_LETTERS, values }));
      return rows.map(({ type, code, count, last_at }) => ({ type, code, count, lastAt: last_at }));
    },
  };
}

/** Not a prepared statement: which index is right depends on the filters that are there, and on their values. */
function pageQuery(principal: Principal, filters: TaskFilters, limit: number, after: Keyset | undefined) {
  const { values, value } = statementValues();
  const conditions = taskConditions(principal, filters, value);
  if (after !== undefined) {
    conditions.push(`(created_at, id) < (${value(new Date(after.at))}::timestamptz, ${value(after.id)}::uuid)`);
  }
  const text = `select ${TASK_STATE_COLUMNS} from tasks where ${conditions.join(' and ')}
    order by created_at desc, id desc limit ${value(limit)}`;
  return { text, values };
}

interface DeadLetterRow {
  readonly type: string;
  readonly code: string;
  readonly count: number;
  readonly last_at: number;
}

function shown(row: TaskStateRow): ShownState {
  return taskStateFromRow(row) as ShownState;
}

async function ask<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (!isTransient(error)) throw error;
    throw new Problem(
      'store-unavailable',
      'The view of tasks cannot be read at present; tasks are accepted all the same.',
      {
        retryAfter: 2,
        cause: error,
      },
    );
  }
}
