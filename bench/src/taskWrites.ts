import { setTimeout as delay } from 'node:timers/promises';
import { batchBodies, submitBatches } from './load/batches.ts';
import type { BenchSystem } from './system/benchSystem.ts';
import { waitUntilVisible } from './visible.ts';

/** What PostgreSQL has done to the table of tasks since it was made. */
export interface TaskWrites {
  readonly inserted: number;
  readonly updated: number;
}

/** A session of PostgreSQL tells its figures after a transaction, and once a second at most. */
const TOLD_AFTER_MS = 1_100;

/** Reads the figures; a task of its own makes the projector's session tell them. */
export async function readTaskWrites(system: BenchSystem, type: string): Promise<TaskWrites> {
  await delay(TOLD_AFTER_MS);
  const visible = await system.database.countSuccess(type);
  await submitBatches(system, batchBodies([{ type, payload: {} }]));
  await waitUntilVisible(system.database, type, visible + 1);
  await delay(50);
  const { rows } = await system.pool.query<{ inserted: string; updated: string }>(
    `select n_tup_ins as inserted, n_tup_upd as updated from pg_stat_user_tables where relname = 'tasks'`,
  );
  return { inserted: Number(rows[0]?.inserted), updated: Number(rows[0]?.updated) };
}

/** How often each task was written between two readings: 1 where it was inserted with its end. */
export function writesPerTask(before: TaskWrites, after: TaskWrites): number {
  const inserted = after.inserted - before.inserted;
  return (inserted + after.updated - before.updated) / inserted;
}
