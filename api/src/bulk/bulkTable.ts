import { type BulkAction, bulkStatuses } from '@taskflow/core/bulk';
import type { TaskState, TaskStatus } from '@taskflow/schemas/fold';
import { inTransaction, type Pool } from '@taskflow/service/postgres';
import { TASK_STATE_COLUMNS, type TaskStateRow, taskStateFromRow } from '@taskflow/service/taskRow';
import type { Principal } from '../http/principal.ts';
import { statementValues, taskConditions } from '../views/taskConditions.ts';
import type { TaskFilters } from '../views/taskView.ts';

export interface BulkRequest {
  readonly id: string;
  readonly principal: Principal;
  readonly requestId: string;
  readonly action: BulkAction;
  readonly filters: TaskFilters;
  readonly reason: string | null;
}

/** How far it is: `matched` tasks when it was asked for; of those dealt with, `failed` are the ones that were left as they are. */
export interface BulkProgress {
  readonly state: 'running' | 'done';
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
}

/** A bulk whose lease an api has. */
export interface LeasedBulk {
  readonly id: string;
  readonly userId: string;
  readonly requestId: string;
  readonly action: BulkAction;
  readonly reason: string | null;
}

/** A task that is still to be dealt with. */
export interface BulkItem {
  readonly taskId: string;
  /** Of the event that was meant to be appended for it, where somebody has come so far. */
  readonly eventId: string | null;
  /** Undefined where the view does not have it any more. */
  readonly state: TaskState | undefined;
}

/** Matching a million tasks takes seconds. */
const MATCH_TIMEOUT_MS = 60_000;
/** Of one batch, all payloads together; a larger one comes alone. */
const BATCH_BYTES = 8 * 1024 * 1024;

function matching({ principal, action, filters }: Pick<BulkRequest, 'principal' | 'action' | 'filters'>) {
  const { values, value } = statementValues();
  const { status, ...others } = filters;
  const statuses = bulkStatuses(action, status === undefined ? undefined : [status as TaskStatus]);
  const conditions = taskConditions(principal, others, value);
  // No action is for what succeeded; named, so that the index of the rest can serve.
  conditions.push(`status = any(${value(statuses)}::text[])`, "status <> 'success'");
  return { values, value, where: conditions.join(' and ') };
}

/** How many tasks it would act on. */
export async function countMatching(
  pool: Pool,
  request: Pick<BulkRequest, 'principal' | 'action' | 'filters'>,
): Promise<number> {
  const { values, where } = matching(request);
  return inTransaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = ${MATCH_TIMEOUT_MS}`);
    const { rows } = await tx.query<{ count: number }>(`select count(*) from tasks where ${where}`, values);
    return rows[0]?.count ?? 0;
  });
}

/** Writes it down with the tasks that match at this moment, and gives how many. From then on it will be done. */
export async function insertBulk(pool: Pool, request: BulkRequest): Promise<number> {
  const { values, value, where } = matching(request);
  const { id, principal, requestId, action, filters, reason } = request;
  return inTransaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = ${MATCH_TIMEOUT_MS}`);
    await tx.query(
      `insert into bulks (id, user_id, request_id, action, filter, reason, matched) values ($1, $2, $3, $4, $5, $6, 0)`,
      [id, principal.userId, requestId, action, JSON.stringify(filters), reason],
    );
    const { rowCount } = await tx.query(
      `insert into bulk_tasks (bulk_id, task_id) select ${value(id)}::uuid, id from tasks where ${where}`,
      values,
    );
    const matched = rowCount ?? 0;
    await tx.query(
      'update bulks set matched = $2::bigint, finished_at = case when $2::bigint = 0 then now() end where id = $1',
      [id, matched],
    );
    return matched;
  });
}

export async function readBulk(pool: Pool, { userId, role }: Principal, id: string): Promise<BulkProgress | undefined> {
  const { rows } = await pool.query<BulkProgress>(
    `select case when finished_at is null then 'running' else 'done' end as state, matched, done, failed from bulks
     where id = $1 and ($2::uuid is null or user_id = $2)`,
    [id, role === 'admin' ? null : userId],
  );
  return rows[0];
}

/** Of those that are free, or held by the caller, the one that was worked on longest ago. */
export async function leaseBulk(pool: Pool, holder: string, leaseMs: number): Promise<LeasedBulk | undefined> {
  const { rows } = await pool.query<LeasedBulk>({
    name: 'bulk-lease',
    text: `update bulks set holder = $1, leased_until = now() + $2 * interval '1 ms'
      where id = (
        select id from bulks where finished_at is null and (leased_until <= now() or holder = $1)
        order by leased_until limit 1 for update skip locked)
      returning id, user_id as "userId", request_id as "requestId", action, reason`,
    values: [holder, leaseMs],
  });
  return rows[0];
}

/** The next tasks of it: what is cancelled from the newest on, as workers take the oldest first; what is run again from the oldest on. */
export async function nextItems(pool: Pool, { id, action }: LeasedBulk, limit: number): Promise<BulkItem[]> {
  const cancels = action === 'cancel';
  const order = cancels ? 'desc' : 'asc';
  const { rows } = await pool.query<{ task_id: string; event_id: string | null; bytes: number }>({
    name: `bulk-next-${action}`,
    text: `select task_id, event_id, coalesce(octet_length(payload), 0) as bytes
      from (
        select task_id, event_id from bulk_tasks where bulk_id = $1 order by task_id ${order} limit $2
      ) item left join tasks on id = task_id
      order by task_id ${order}`,
    values: [id, limit],
  });
  let bytes = 0;
  const taken = rows.filter((row, index) => {
    bytes += cancels ? 0 : row.bytes;
    return index === 0 || bytes <= BATCH_BYTES;
  });
  const states = await readStates(
    pool,
    taken.map((row) => row.task_id),
    !cancels,
  );
  return taken.map((row) => ({ taskId: row.task_id, eventId: row.event_id, state: states.get(row.task_id) }));
}

async function readStates(pool: Pool, ids: readonly string[], withPayload: boolean): Promise<Map<string, TaskState>> {
  const columns = withPayload ? TASK_STATE_COLUMNS : TASK_STATE_COLUMNS.replace('payload', 'null as payload');
  const { rows } = await pool.query<TaskStateRow>({
    name: `bulk-states-${withPayload ? 'with' : 'without'}-payload`,
    text: `select ${columns} from tasks where id = any($1::uuid[])`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, taskStateFromRow(row)]));
}

/** Notes which event is to be appended for each of these tasks, before it is. */
export async function noteEvents(
  pool: Pool,
  { id }: LeasedBulk,
  events: readonly { readonly taskId: string; readonly eventId: string }[],
): Promise<void> {
  if (events.length === 0) return;
  await pool.query({
    name: 'bulk-note',
    text: `update bulk_tasks set event_id = noted.event_id
      from unnest($2::uuid[], $3::uuid[]) as noted(task_id, event_id)
      where bulk_id = $1 and bulk_tasks.task_id = noted.task_id`,
    values: [id, events.map(({ taskId }) => taskId), events.map(({ eventId }) => eventId)],
  });
}

/** Counts what was dealt with, and ends the bulk where it was the last. False where another api has the lease by now. */
export async function settleItems(
  pool: Pool,
  { id }: LeasedBulk,
  holder: string,
  outcome: { readonly done: readonly string[]; readonly failed: readonly string[] },
): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query({
      name: 'bulk-count',
      text: 'update bulks set done = done + $3, failed = failed + $4, leased_until = now() where id = $1 and holder = $2',
      values: [id, holder, outcome.done.length, outcome.failed.length],
    });
    if (rowCount === 0) return false;
    await tx.query({
      name: 'bulk-remove',
      text: 'delete from bulk_tasks where bulk_id = $1 and task_id = any($2::uuid[])',
      values: [id, [...outcome.done, ...outcome.failed]],
    });
    await tx.query({
      name: 'bulk-finish',
      text: `update bulks set finished_at = now()
        where id = $1 and finished_at is null and not exists (select from bulk_tasks where bulk_id = $1)`,
      values: [id],
    });
    return true;
  });
}

export async function renewLease(pool: Pool, { id }: LeasedBulk, holder: string, leaseMs: number): Promise<void> {
  await pool.query({
    name: 'bulk-renew',
    text: `update bulks set leased_until = now() + $3 * interval '1 ms' where id = $1 and holder = $2`,
    values: [id, holder, leaseMs],
  });
}

/** Lets others take up what the holder has at once. */
export async function releaseBulks(pool: Pool, holder: string): Promise<void> {
  await pool.query('update bulks set leased_until = now(), holder = null where holder = $1 and finished_at is null', [
    holder,
  ]);
}

/** Deletes those that ended a week ago. */
export async function sweepBulks(pool: Pool): Promise<void> {
  await pool.query(`delete from bulks where finished_at <= now() - interval '7 days'`);
}
