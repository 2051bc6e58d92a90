import type { TaskRun } from '../log/taskRuns.ts';

/** What the log says of the tasks that a killed worker had in hand, and of starts that nobody needed. */
export interface Takeover {
  /** Tasks that it had started and not ended. */
  readonly started: number;
  /** Tasks that the queue had handed to it, and that it had not started: they were first started by another, from a later delivery. */
  readonly onlyGiven: number;
  /** Of both, from the kill to the start by another, in milliseconds; none of those that nobody has started yet. */
  readonly waits: readonly number[];
  /** Starts beyond the first that none of this explains. */
  readonly needless: number;
}

/** Looks at the runs of all tasks, in order of time, after a worker of that name was killed. */
export function takeoverOf(runs: readonly TaskRun[], victim: string, killedAt: number): Takeover {
  const waits: number[] = [];
  let started = 0;
  let onlyGiven = 0;
  let needless = 0;
  for (const [first, ...more] of Map.groupBy(runs, ({ taskId }) => taskId).values()) {
    const lost = first!.workerId.startsWith(`${victim}.`) && first!.endedAt === undefined;
    const given = first!.delivery > 1 && first!.startedAt >= killedAt;
    if (lost) started++;
    else if (given) onlyGiven++;
    const afterwards = lost ? more[0] : given ? first : undefined;
    if (afterwards !== undefined) waits.push(afterwards.startedAt - killedAt);
    needless += lost ? Math.max(0, more.length - 1) : more.length;
  }
  return { started, onlyGiven, waits, needless };
}
