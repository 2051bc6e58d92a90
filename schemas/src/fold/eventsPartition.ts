import type { TaskState } from './taskState.ts';

/**
 * The partition of the events topic that the task's events lie in: where they do, or else where its TaskQueued says that they will.
 * Null only for a state that was stored without it.
 */
export function eventsPartitionOf({ events, history }: Pick<TaskState, 'events' | 'history'>): number | null {
  if (events !== null) return events.partition;
  return history.findLast(({ eventsPartition }) => eventsPartition !== null)?.eventsPartition ?? null;
}
