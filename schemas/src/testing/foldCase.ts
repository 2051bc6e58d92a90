import type { TaskEvent } from '../events.ts';
import type { RecordedEvent, TaskState } from '../fold.ts';
import { recorded, taskEvent } from './taskEvents.ts';

/** Given the log, in the order in which its events were appended, then the state has these parts. */
export interface FoldCase {
  readonly name: string;
  readonly given: readonly RecordedEvent[];
  readonly then: Partial<TaskState>;
  /** Of the lines of the timeline, those that did not count: event ids. */
  readonly notCounted: readonly string[];
}

export type Step = readonly [name: TaskEvent['event'], changes?: object] | { readonly copyOf: number };

/** The id of the n-th event of a case, from 0. */
export function idOf(n: number): string {
  return `01999999-2000-7000-8000-${String(n).padStart(12, '0')}`;
}

/** When the n-th event of a case happened: one a second. */
export function timeOf(n: number): number {
  return 1_760_000_000_000 + n * 1_000;
}

/** Appends events in order. Ids and times ascend; a copy has those of the event that it copies. */
function logOf(steps: readonly Step[]): readonly RecordedEvent[] {
  const log: RecordedEvent[] = [];
  const ends = { queue: 100, events: 200 };
  for (const [n, step] of steps.entries()) {
    const event =
      'copyOf' in step
        ? log[step.copyOf]!.event
        : taskEvent(step[0], { eventId: idOf(n), occurredAt: timeOf(n), ...step[1] });
    log.push(recorded(event, event.event === 'TaskQueued' ? ends.queue++ : ends.events++));
  }
  return log;
}

export function given(
  name: string,
  steps: readonly Step[],
  then: Partial<TaskState>,
  notCounted: readonly number[] = [],
): FoldCase {
  return { name, given: logOf(steps), then, notCounted: notCounted.map(idOf) };
}

export const other = 'worker-2.4712.p8q1';
export const error = { code: 'HTTP_STATUS', message: 'answered 503', retryable: true };
export const queued: Step = ['TaskQueued'];
export const started: Step = ['TaskStarted'];
