import { evolve, hasEnded, type RecordedEvent, type TaskState, timeline } from '@taskflow/schemas/fold';
import type { Broker } from './broker.ts';
import type { Random } from './random.ts';
import type { HandlerStart, TaskPlan } from './world.ts';

/** A start beyond the first of an attempt, or beside or behind what had been started or ended. */
export interface ExtraStart {
  readonly start: HandlerStart;
  readonly kind: 'again' | 'beside an older attempt' | 'behind the end';
  /** What had befallen whoever ran it before; undefined: nothing, it was not necessary. */
  readonly because: string | undefined;
}

export interface Verdict {
  /** What must not be; empty in a good run. */
  readonly faults: string[];
  readonly extra: readonly ExtraStart[];
  readonly attempts: number;
  readonly statuses: ReadonlyMap<string, number>;
  /** Tasks given up as WORKER_LOST that kill no process. */
  readonly innocents: readonly string[];
  /** Failures and retries that came to the log though somebody else had started the attempt, or a later one: what the zombie rule keeps away, all but what was under way. */
  readonly zombieFailures: number;
}

export function judge(
  broker: Broker,
  accepted: ReadonlySet<string>,
  starts: readonly HandlerStart[],
  random: Random,
): Verdict {
  const faults: string[] = [];
  const logs = logsByTask(broker);
  const statuses = new Map<string, number>();
  const innocents: string[] = [];
  let zombieFailures = 0;
  for (const taskId of accepted) if (!logs.has(taskId)) faults.push(`${taskId} was acknowledged and is not on the log`);
  for (const [taskId, log] of logs) {
    const state = fold(log);
    statuses.set(state.status, (statuses.get(state.status) ?? 0) + 1);
    zombieFailures += countZombieFailures(log);
    if (state.error?.code === 'WORKER_LOST' && !isPoison(state)) innocents.push(taskId);
    if (!hasEnded(state.status))
      faults.push(`${taskId} is stuck: ${state.status}, generation ${state.generation}, attempt ${state.attempt}`);
    faults.push(...secondEnds(taskId, state), ...otherFolds(taskId, log, state, random));
  }
  if (broker.group.lag > 0) faults.push(`${broker.group.lag} records of the queue are not settled`);
  const byTask = Map.groupBy(starts, ({ taskId, generation }) => `${taskId}.${generation}`);
  const extra = [...byTask.values()].flatMap((ofTask) => extraStarts(ofTask, logs.get(ofTask[0]!.taskId) ?? []));
  const attempts = new Set(starts.map(({ taskId, generation, attempt }) => `${taskId}.${generation}.${attempt}`)).size;
  return { faults, extra, attempts, statuses, innocents, zombieFailures };
}

function countZombieFailures(log: readonly RecordedEvent[]): number {
  const events = log.filter(({ event }) => event.event !== 'TaskQueued').map(({ event }) => event);
  return events.filter((failure, i) => {
    if (failure.event !== 'TaskRetryScheduled' && (failure.event !== 'TaskFailed' || failure.workerId === ''))
      return false;
    const { generation, attempt, workerId } = failure;
    const start = events
      .slice(0, i)
      .findLast((other) => other.event === 'TaskStarted' && other.generation === generation);
    return (
      start !== undefined &&
      (start.attempt > attempt ||
        (start.attempt === attempt &&
          start.workerId !== workerId &&
          failure.event === 'TaskRetryScheduled' &&
          failure.error.code !== 'WORKER_STOPPED'))
    );
  }).length;
}

function isPoison({ submission }: TaskState): boolean {
  return submission !== null && (JSON.parse(submission.payload) as TaskPlan).killsAfterMs !== null;
}

export function logsByTask(broker: Broker): Map<string, RecordedEvent[]> {
  return Map.groupBy([...broker.queueAsRecorded(0), ...broker.events.flat()], ({ event }) => event.taskId);
}

export function fold(log: readonly RecordedEvent[]): TaskState {
  let state: TaskState | undefined;
  for (const recorded of log) state = evolve(state, recorded);
  if (state === undefined) throw new Error('A log without events has no state');
  return state;
}

function secondEnds(taskId: string, state: TaskState): string[] {
  const counted = timeline(state.history).filter((line) => line.counted && ends.has(line.event));
  const generations = counted.map(({ generation }) => generation);
  return new Set(generations).size === generations.length ? [] : [`${taskId} has a second counted end`];
}

const ends = new Set(['TaskSucceeded', 'TaskFailed', 'TaskCancelled']);

function otherFolds(taskId: string, log: readonly RecordedEvent[], state: TaskState, random: Random): string[] {
  const expected = JSON.stringify(state);
  const interleavings = [[...log].reverse(), random.shuffled(log), [...random.shuffled(log), ...log]];
  const other = interleavings.some((order) => JSON.stringify(fold(order)) !== expected);
  return other ? [`${taskId} has another state in another order of its events`] : [];
}

function extraStarts(starts: readonly HandlerStart[], log: readonly RecordedEvent[]): ExtraStart[] {
  return starts.flatMap((start, i): ExtraStart[] => {
    const before = starts.slice(0, i);
    const again = before.filter(({ attempt }) => attempt === start.attempt);
    const late = hasLateRecord(log, start) ? 'record appended late' : undefined;
    if (again.length > 0) return [{ start, kind: 'again', because: reasonOf(again, start) ?? late }];
    const running = before.filter(
      ({ endedAt, process }) => Math.min(endedAt ?? Number.POSITIVE_INFINITY, process.diedAt) > start.at,
    );
    if (running.length > 0)
      return [{ start, kind: 'beside an older attempt' as const, because: reasonOf(running, start) ?? late }];
    const end = log.find(
      ({ event, appendedAt }) =>
        event.generation === start.generation && ends.has(event.event) && appendedAt < start.at,
    );
    if (end)
      return [
        {
          start,
          kind: 'behind the end' as const,
          because: reasonOf(before, start) ?? (end.event.event === 'TaskCancelled' ? 'cancelled' : undefined),
        },
      ];
    return [];
  });
}

/**
 * Whether a record without `check` came behind a copy with it: an append that its sender had given up for lost, and that the
 * broker took all the same. Whoever is handed it has no reason to look.
 */
function hasLateRecord(log: readonly RecordedEvent[], { generation, attempt }: HandlerStart): boolean {
  const records = log.flatMap(({ event, offset }) =>
    event.event === 'TaskQueued' && event.generation === generation && event.attempt <= attempt
      ? [{ check: event.check, attempt: event.attempt, offset }]
      : [],
  );
  return records.some((late) => {
    const earlier = records.find((copy) => copy.attempt === late.attempt && copy.offset < late.offset && copy.check);
    return !late.check && earlier !== undefined;
  });
}

/** What befell each of those who had it before: one to whom nothing did, and the start is not explained. */
function reasonOf(before: readonly HandlerStart[], start: HandlerStart): string | undefined {
  const reasons = before.map(
    // Also whoever starts it may have been frozen since the record came.
    (other) => other.process.hadTrouble(other.at, start.at) ?? start.process.hadTrouble(other.at, start.at),
  );
  if (reasons.includes(undefined)) return undefined;
  return start.isPoison && reasons.at(-1) === 'killed' ? 'killed by the task itself' : reasons.at(-1);
}
