import { setTimeout as delay } from 'node:timers/promises';
import { batchBodies, type Submission, submitBatches } from '../load/batches.ts';
import { callApi } from './api.ts';
import type { BenchSystem } from './benchSystem.ts';

/** Until every worker has heard of a pause, and what it had in hand has ended. */
const HEARD_AFTER_MS = 2_000;

/** A type that is paused, so that what is submitted waits. */
export interface HeldBack {
  /** Submits tasks, and resolves when the view shows them all as queued. Gives the seconds that the submission took. */
  queue(tasks: readonly Submission[]): Promise<number>;
  /** Lets the workers begin. */
  release(): Promise<void>;
}

/** Pauses a type. */
export async function holdBack(system: BenchSystem, type: string): Promise<HeldBack> {
  await callApi(system, 'POST', `/types/${type}/pause`, { body: { reason: 'work is to wait' } });
  await delay(HEARD_AFTER_MS);
  let queued = await countQueued(system, type);
  return {
    async queue(tasks) {
      const bodies = batchBodies(tasks);
      const begun = performance.now();
      await submitBatches(system, bodies);
      const seconds = (performance.now() - begun) / 1_000;
      queued += tasks.length;
      while ((await countQueued(system, type)) < queued) await delay(50);
      return seconds;
    },
    async release() {
      await callApi(system, 'POST', `/types/${type}/resume`, { body: {} });
    },
  };
}

async function countQueued({ pool }: BenchSystem, type: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    `select coalesce(sum(count), 0) as count from task_counts where type = $1 and status = 'queued'`,
    [type],
  );
  return Number(rows[0]?.count ?? 0);
}
