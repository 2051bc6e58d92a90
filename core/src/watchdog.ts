import type { Task, TaskFailed, TaskQueued } from '@taskflow/schemas/events';
import { type EventSubject, eventHead } from './eventHead.ts';
import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';
import { workerLost } from './workerLost.ts';

export interface WatchedTask {
  readonly ended: boolean;
  readonly hasTimer: boolean;
  /** An event about it waits to be sent. */
  readonly hasOutboxRow: boolean;
  /** Of its newest TaskQueued. */
  readonly queueOffset: number;
}

export interface WatchedQueue {
  /** A start offset of the group, or of the log if that was greater, as asked at `passedAskedAt`. */
  readonly passed: number;
  readonly passedAskedAt: number;
  /** Up to when everything on the log is in what `ended` and `hasTimer` were read from: in the view of the tasks, and in the fold of the timers, whose orchestrators may have been away. */
  readonly seenUpTo: number;
  readonly now: number;
}

/**
 * Whether a task was forgotten: it has not ended, nothing is due for it, and the group has passed its record a minute ago, so
 * that no worker has it. Zero of these in a healthy system: what a worker accepts has an event on the log that
 * settles it, and the minute is for that event to be seen.
 */
export function isForgotten(
  task: WatchedTask,
  queue: WatchedQueue,
  { watchdogAfterMs }: Pick<ProtocolValues, 'watchdogAfterMs'> = protocolDefaults,
): boolean {
  if (task.ended || task.hasTimer || task.hasOutboxRow || task.queueOffset >= queue.passed) return false;
  return queue.now - queue.passedAskedAt >= watchdogAfterMs && queue.seenUpTo >= queue.passedAskedAt;
}

/** What the watchdog emits for a forgotten task: its next attempt, or the end where that has happened too often. */
export function recoverForgotten(
  task: EventSubject & {
    readonly task: Task;
    readonly failures: number;
    readonly recoveries: number;
    readonly eventsPartition: number;
  },
  stamp: { readonly now: number; readonly eventId: string },
  values: Pick<ProtocolValues, 'maxRecoveries'> = protocolDefaults,
): TaskQueued | TaskFailed {
  if (task.recoveries >= values.maxRecoveries) {
    const message = `Attempt ${task.attempt} was lost, as ${task.recoveries} attempts before`;
    return workerLost(task, message, { ...stamp, workerId: '' });
  }
  return {
    event: 'TaskQueued',
    ...eventHead({ ...task, attempt: task.attempt + 1 }, { ...stamp, workerId: '' }),
    task: task.task,
    failures: task.failures,
    recoveries: task.recoveries + 1,
    eventsPartition: task.eventsPartition,
    cause: 'recover',
    check: true,
    actor: null,
    reason: null,
  };
}
