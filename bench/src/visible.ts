import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

/** The read model as a benchmark asks it. */
export interface Database {
  /** How many tasks of a type the read model shows as `success`. */
  countSuccess(type: string): Promise<number>;
}

/** Asks the counts that the projector keeps in the same transaction as the tasks: one row, whatever the size. */
export function readModel(pool: pg.Pool): Database {
  return {
    async countSuccess(type) {
      const { rows } = await pool.query<{ count: string }>(
        `select coalesce(sum(count), 0) as count from task_counts where type = $1 and status = 'success'`,
        [type],
      );
      return Number(rows[0]?.count ?? 0);
    },
  };
}

/** Between two looks: rarely while much is missing, so that looking costs nothing, and often in the last tenth. */
const FAR_MS = 25;
const NEAR_MS = 5;

/**
 * Resolves when the read model shows `count` tasks of the type as `success`; rejects when it stands still for too long. `onSeen` is
 * told what each look has shown.
 */
export async function waitUntilVisible(
  database: Database,
  type: string,
  count: number,
  patienceMs = 60_000,
  onSeen?: (seen: number) => void,
): Promise<void> {
  const first = await database.countSuccess(type);
  let best = -1;
  let changedAt = performance.now();
  for (;;) {
    const seen = await database.countSuccess(type);
    onSeen?.(seen);
    if (seen >= count) return;
    if (seen !== best) {
      best = seen;
      changedAt = performance.now();
    } else if (performance.now() - changedAt > patienceMs) {
      throw new Error(`the read model stands still at ${seen} of ${count} tasks of type ${type}`);
    }
    await delay(count - seen > (count - first) / 10 ? FAR_MS : NEAR_MS);
  }
}
