import type { TaskEvent } from '../events.ts';

/** Where an event stands within its attempt. An end has no rank of its own: it is above all attempts. */
export const rankOf: Readonly<Record<TaskEvent['event'], number>> = {
  TaskScheduled: 0,
  TaskQueued: 1,
  TaskStarted: 2,
  TaskHeartbeat: 2,
  TaskRetryScheduled: 3,
  TaskSucceeded: 0,
  TaskFailed: 0,
  TaskCancelled: 0,
};

export function isEnd(event: TaskEvent['event']): boolean {
  return event === 'TaskSucceeded' || event === 'TaskFailed' || event === 'TaskCancelled';
}

/** A generation holds 2²⁰ attempts, and a version fits a JavaScript number up to generation 2³⁰. */
const attempts = 2 ** 20;

/**
 * Packs an event's place in the order (generation, ended, attempt, rank) into one integer that compares alike:
 * ((generation · 2 + ended) · 2²⁰ + attempt) · 4 + rank. Of an end attempt and rank are 0, so that all ends of a
 * generation are equal and the first of them on the log stays.
 */
export function packVersion(generation: number, ended: boolean, attempt: number, rank: number): number {
  return ended ? (generation * 2 + 1) * attempts * 4 : (generation * 2 * attempts + attempt) * 4 + rank;
}

/** The version that an event gives to its task, if none was greater. */
export function versionOf(event: { event: TaskEvent['event']; generation: number; attempt: number }): number {
  return packVersion(event.generation, isEnd(event.event), event.attempt, rankOf[event.event]);
}
