import type { TaskRun } from '../log/taskRuns.ts';

/** A span of time, in milliseconds since 1970. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** The share of the slots' time in a window in which no handler ran. A run without an end lasts beyond it. */
export function idlePercent(
  runs: readonly Pick<TaskRun, 'startedAt' | 'endedAt'>[],
  { from, to }: Window,
  slots: number,
): number {
  let busy = 0;
  for (const { startedAt, endedAt } of runs) {
    busy += Math.max(0, Math.min(endedAt ?? to, to) - Math.max(startedAt, from));
  }
  return 100 * (1 - busy / (slots * (to - from)));
}
