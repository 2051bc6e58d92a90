import type { TaskFailed, TaskQueued } from '@taskflow/schemas/events';
import { versionOf } from '@taskflow/schemas/fold';
import { eventHead } from './eventHead.ts';
import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';
import type { Timer, TimerRow } from './timers.ts';
import { workerLost } from './workerLost.ts';

/** How far a partition was read, against the end that it had when it was asked. */
export interface ReadUpTo {
  readonly position: number;
  readonly end: number;
  /** On the clock of the timers, from before the question left. */
  readonly endAskedAt: number;
}

/**
 * Whether a timer may fire now: it is due, and everything has been read that was on the log at or after its due time (of the
 * events partition, and of whatever else the reader folds). Else the event that removes or prolongs it may lie unread.
 */
export function mayFire(row: TimerRow, read: readonly ReadUpTo[]): boolean {
  const due = row.timer?.due ?? null;
  return due !== null && read.every(({ position, end, endAskedAt }) => endAskedAt >= due && position >= end);
}

export interface Fired {
  readonly row: TimerRow;
  readonly event: TaskQueued | TaskFailed;
}

/**
 * What a timer does: queues the attempt that is due, or, where runs of the generation were lost too often, ends the task.
 * The row is then that of the event emitted: so a timer fires once, and what is late for it finds it gone.
 */
export function fireTimer(
  row: TimerRow,
  stamp: { readonly now: number; readonly eventId: string },
  values: Pick<ProtocolValues, 'maxRecoveries'> = protocolDefaults,
): Fired {
  const { timer } = row;
  if (timer === null) throw new Error(`Task ${row.taskId} has no timer that could fire: read its row again`);
  if (timer.kind !== 'lease') return emitted(row, queueNext(row, timer, stamp), stamp.now);
  if (timer.recoveries < values.maxRecoveries) {
    const recovered = { ...timer, recoveries: timer.recoveries + 1 };
    return emitted(row, queueNext(row, recovered, stamp), stamp.now);
  }
  const message = `The lease of attempt ${row.attempt} ended without a heartbeat, as those of ${timer.recoveries} attempts before`;
  const subject = { ...row, failures: timer.failures };
  return emitted(row, workerLost(subject, message, { ...stamp, workerId: '' }), stamp.now);
}

/** A held task (`runAt` null) is let go. */
export function admit(row: TimerRow, stamp: { readonly now: number; readonly eventId: string }): Fired {
  if (row.timer?.kind !== 'run') throw new Error(`Task ${row.taskId} is not held: read its row again`);
  return emitted(row, queueNext(row, row.timer, stamp, 'admit'), stamp.now);
}

function queueNext(
  row: TimerRow,
  timer: Timer,
  stamp: { readonly now: number; readonly eventId: string },
  cause: TaskQueued['cause'] = causeOf(timer),
): TaskQueued {
  const attempt = timer.kind === 'run' ? 1 : row.attempt + 1;
  return {
    event: 'TaskQueued',
    ...eventHead({ ...row, attempt }, { ...stamp, workerId: '' }),
    task: timer.task,
    failures: timer.failures,
    recoveries: timer.recoveries,
    eventsPartition: row.eventsPartition,
    cause,
    check: timer.kind === 'lease',
    actor: null,
    reason: null,
  };
}

function causeOf(timer: Timer): string {
  if (timer.kind === 'run') return 'schedule';
  if (timer.kind === 'lease') return 'recover';
  return timer.released ? 'release' : 'retry';
}

function emitted(row: TimerRow, event: TaskQueued | TaskFailed, now: number): Fired {
  const { generation, attempt } = event;
  const endedAt = event.event === 'TaskFailed' ? now : null;
  return { event, row: { ...row, version: versionOf(event), generation, attempt, endedAt, timer: null } };
}
