import { batchBodies, submissions, submitBatches } from '../load/batches.ts';
import { scaled } from '../options.ts';
import { waitUntilVisible } from '../visible.ts';
import type { BenchSystem } from './benchSystem.ts';

/** In bursts of this many, so that it also meets the end of one. */
const TASKS_A_BURST = 20_000;

/**
 * Bursts that are not counted: a broker that has just started compiles for half a minute and takes a core for it, and the
 * services compile, too. Three for a system or workers that have just started; fewer where what follows costs the workers little, or begins with a large burst.
 */
export async function warmUp(system: BenchSystem, type: string, bursts = 3): Promise<void> {
  const tasks = scaled(TASKS_A_BURST);
  const bodies = batchBodies(submissions(tasks, () => ({ type, payload: {} })));
  for (let burst = 0; burst < bursts; burst++) {
    const before = await system.database.countSuccess(type);
    await submitBatches(system, bodies);
    await waitUntilVisible(system.database, type, before + tasks);
  }
}
