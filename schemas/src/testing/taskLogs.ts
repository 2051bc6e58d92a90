import fc from 'fast-check';
import type { TaskEvent } from '../events.ts';
import { taskEventNames } from '../events.ts';
import { evolve, type RecordedEvent, type TaskState } from '../fold.ts';
import { recorded, someTask, taskEvent } from './taskEvents.ts';

/** Any event of the one task, sensible or not: late, stale, of a zombie, of a generation that was never opened. */
const anyEvent: fc.Arbitrary<TaskEvent> = fc
  .record({
    name: fc.constantFrom(...taskEventNames),
    generation: fc.integer({ min: 0, max: 2 }),
    attempt: fc.integer({ min: 1, max: 3 }),
    worker: fc.constantFrom('worker-1.1.aaaa', 'worker-2.2.bbbb'),
    eventId: fc.uuid({ version: 7 }),
    occurredAt: fc.integer({ min: 1_760_000_000_000, max: 1_760_000_100_000 }),
    progress: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    handsOver: fc.boolean(),
  })
  .map(({ name, worker, progress, handsOver, ...head }) => {
    const common = { ...head, workerId: worker };
    if (name === 'TaskHeartbeat') {
      return taskEvent('TaskHeartbeat', { ...common, progress, task: handsOver ? someTask : null });
    }
    if (name === 'TaskQueued') {
      return taskEvent('TaskQueued', { ...common, workerId: '', task: { ...someTask, payload: `"${head.eventId}"` } });
    }
    return taskEvent(name, common);
  });

/** Puts events on the log in this order: each family's offsets ascend. */
export function append(events: readonly TaskEvent[]): readonly RecordedEvent[] {
  let queueEnd = 0;
  let eventsEnd = 0;
  return events.map((event) => recorded(event, event.event === 'TaskQueued' ? queueEnd++ : eventsEnd++));
}

const anyEvents = fc.uniqueArray(anyEvent, { selector: (event) => event.eventId, minLength: 1, maxLength: 14 });

/** A log of one task. */
export const anyLog: fc.Arbitrary<readonly RecordedEvent[]> = anyEvents.map(append);

/** A log, and the same log in which some events were appended again behind the rest. */
export const anyLogWithCopies = anyEvents.chain((events) =>
  fc.subarray(events, { minLength: 1 }).map((copied) => ({
    log: append(events),
    withCopies: append([...events, ...copied]),
  })),
);

/** The same records in any order. */
export function anyOrder<T>(items: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });
}

/** The same records in an order in which a consumer of both families may meet them: each family's own order kept. */
export function anyInterleaving(log: readonly RecordedEvent[]): fc.Arbitrary<readonly RecordedEvent[]> {
  const queue = log.filter(({ event }) => event.event === 'TaskQueued');
  const events = log.filter(({ event }) => event.event !== 'TaskQueued');
  return anyOrder(log.map(({ event }) => event.event === 'TaskQueued')).map((turns) => {
    const next = { queue: 0, events: 0 };
    return turns.map((isQueue) => (isQueue ? queue[next.queue++]! : events[next.events++]!));
  });
}

/** The state of a log that holds an event at least. */
export function fold(log: readonly RecordedEvent[]): TaskState {
  let state: TaskState | undefined;
  for (const record of log) state = evolve(state, record);
  if (state === undefined) throw new Error('A log without events has no state');
  return state;
}
