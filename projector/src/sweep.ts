import type { Pool } from '@taskflow/service/postgres';
import { TASK_STATE_COLUMNS, type TaskStateRow, taskStateFromRow } from '@taskflow/service/taskRow';
import type { Db } from 'mongodb';
import { answered } from './documents/answered.ts';
import { RESULTS, type ResultDocument } from './projections/results.ts';
import { TASK_LOGS, type TaskLogDocument } from './projections/taskLogs.ts';

export interface SweepOptions {
  readonly db: Db;
  readonly pool: Pool;
  readonly now: number;
  /** A result that no row names is left alone for this long: its row may be on its way. One hour by default. */
  readonly graceMs?: number;
}

export interface Swept {
  readonly expired: number;
  readonly unnamed: number;
}

const BATCH = 500;
const HOUR_MS = 3_600_000;

/**
 * Removes documents whose time is over (where the server has TTL indexes, it mostly was faster), and results that no task names:
 * those of ends that did not count. One pass over the results, without their values.
 */
export async function sweepDocuments({ db, pool, now, graceMs = HOUR_MS }: SweepOptions): Promise<Swept> {
  const results = db.collection<ResultDocument>(RESULTS);
  const lines = db.collection<TaskLogDocument>(TASK_LOGS);
  const overdue = { expiresAt: { $lt: new Date(now) } };
  const expired = [await answered(results.deleteMany(overdue)), await answered(lines.deleteMany(overdue))];
  let unnamed = 0;
  let batch: Candidate[] = [];
  const flush = async (): Promise<void> => {
    const ids = await notNamed(pool, batch);
    batch = [];
    if (ids.length > 0) unnamed += (await answered(results.deleteMany({ _id: { $in: ids } }))).deletedCount;
  };
  const cursor = results.find({}, { projection: { taskId: 1, createdAt: 1 }, batchSize: BATCH });
  for (;;) {
    const found = await answered(cursor.next());
    if (found === null) break;
    const { _id, taskId, createdAt } = found;
    if (createdAt.getTime() > now - graceMs) continue;
    batch.push({ ref: _id, taskId });
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return { expired: expired.reduce((sum, { deletedCount }) => sum + deletedCount, 0), unnamed };
}

interface Candidate {
  readonly ref: string;
  readonly taskId: string;
}

async function notNamed(pool: Pool, candidates: readonly Candidate[]): Promise<string[]> {
  if (candidates.length === 0) return [];
  const { rows } = await pool.query<TaskStateRow>(
    `select ${TASK_STATE_COLUMNS} from tasks where id = any($1::uuid[])`,
    [candidates.map((candidate) => candidate.taskId)],
  );
  const named = new Map(rows.map((row) => [row.id, taskStateFromRow(row).result?.ref]));
  // A task without a row has not been read yet (a view that is being rebuilt): nothing is known of its results.
  return candidates.filter(({ ref, taskId }) => named.has(taskId) && named.get(taskId) !== ref).map(({ ref }) => ref);
}
