import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition; the test's own time-out ends a wait that is in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10);
}
