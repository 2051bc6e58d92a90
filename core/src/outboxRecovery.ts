import type { TaskEvent } from '@taskflow/schemas/events';

type Identity = Pick<TaskEvent, 'taskId' | 'generation' | 'attempt' | 'event'>;

/** What makes two events copies of one intent, whoever decided it and under whatever event id. */
export function intentOf(event: Identity): string {
  return `${event.taskId}.${event.generation}.${event.attempt}.${event.event}`;
}

/**
 * What of an outbox is still to be sent after a crash, given what was read of the target topics from the ends that were noted
 * when it was written: that which is not there. It may come there yet (an append of the crashed sender may be under way),
 * so a TaskQueued is sent with `check`.
 */
export function stillToSend<Pending extends { readonly event: TaskEvent }>(
  pending: readonly Pending[],
  found: Iterable<Identity>,
): readonly Pending[] {
  const there = new Set<string>();
  for (const event of found) there.add(intentOf(event));
  return pending
    .filter(({ event }) => !there.has(intentOf(event)))
    .map((entry) => ({ ...entry, event: mayBeCopy(entry.event) }));
}

/** An event as it is appended where it may be on the log already. */
export function mayBeCopy<Event extends TaskEvent>(event: Event): Event {
  return event.event === 'TaskQueued' ? { ...event, check: true } : event;
}
