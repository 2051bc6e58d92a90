import type { Task, TaskEvent } from '@taskflow/schemas/events';
import { isEnd, type RecordedEvent, versionOf } from '@taskflow/schemas/fold';
import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';
import { workerStoppedCode } from './workerStopped.ts';

/**
 * What the orchestrator keeps of a task that ever had a timer (or was cancelled: docs/decisions/0074). Plain data; times are
 * of the clock that judges all timers (PostgreSQL's).
 */
export interface TimerRow {
  readonly taskId: string;
  readonly userId: string;
  readonly type: string;
  readonly priority: string;
  readonly runId: string | null;
  readonly stepId: string | null;
  /** The partition that the task's events lie in: whoever reads it fires the timer. */
  readonly eventsPartition: number;
  /** Of the greatest event known, as in the fold. A timer belongs to that event and goes with it. */
  readonly version: number;
  readonly generation: number;
  readonly attempt: number;
  /** When the end was read; null while there is none. */
  readonly endedAt: number | null;
  readonly timer: Timer | null;
}

export interface Timer {
  /** run: its first attempt is due. retry: its next one. lease: how long its run is presumed alive. */
  readonly kind: 'run' | 'retry' | 'lease';
  /** null: held until it is admitted. */
  readonly due: number | null;
  /** Of a lease: what a heartbeat prolongs it by. */
  readonly leaseMs: number;
  /** Of a retry: the worker gave the attempt back, nothing failed. */
  readonly released: boolean;
  readonly task: Task;
  readonly failures: number;
  readonly recoveries: number;
}

/**
 * The row after an event that was read at `readAt`. The same object where nothing changes; undefined where the task has no row
 * and needs none.
 *
 * A timer hangs on the greatest event of its task, by the order of the fold: any greater event removes it, a late one
 * finds it gone. Which event sets one: TaskScheduled, a hand-over, TaskRetryScheduled. A delay counts from the append time of the
 * event that asked for it; a lease from the reading of the last heartbeat, so that neither a reader that lags nor a broker's
 * clock lets it end early.
 */
export function applyToTimers(
  row: TimerRow | undefined,
  recorded: RecordedEvent,
  readAt: number,
): TimerRow | undefined {
  const { event } = recorded;
  const version = versionOf(event);
  if (row !== undefined && version <= row.version) return prolonged(row, event, version, readAt);
  const timer = timerOf(event, recorded.appendedAt, readAt);
  if (row === undefined && timer === null && !isRemembered(event)) return undefined;
  return {
    taskId: event.taskId,
    userId: event.userId,
    type: event.type,
    priority: event.priority,
    runId: event.runId,
    stepId: event.stepId,
    eventsPartition: event.event === 'TaskQueued' ? event.eventsPartition : recorded.partition,
    version,
    generation: event.generation,
    attempt: event.attempt,
    endedAt: isEnd(event.event) ? readAt : null,
    timer,
  };
}

/**
 * Events that set no timer, but take one away that may be read after them: a cancel, as its task may ask for a retry at the same
 * moment; and what a timer has queued, as the two topic families have no order between them.
 */
function isRemembered(event: TaskEvent): boolean {
  if (event.event === 'TaskQueued') return event.cause !== 'submit' && event.cause !== 'redrive';
  return event.event === 'TaskCancelled';
}

/** What a further event of the attempt that is on does: a heartbeat prolongs its lease, and a hand-over of a start that was known begins one. */
function prolonged(row: TimerRow, event: TaskEvent, version: number, readAt: number): TimerRow {
  if (event.event !== 'TaskHeartbeat' || version !== row.version || row.endedAt !== null) return row;
  if (row.timer === null) return event.task === null ? row : { ...row, timer: timerOf(event, readAt, readAt) };
  const due = Math.max(row.timer.due ?? 0, readAt + event.leaseMs);
  return { ...row, timer: { ...row.timer, due, leaseMs: event.leaseMs } };
}

function timerOf(event: TaskEvent, appendedAt: number, readAt: number): Timer | null {
  switch (event.event) {
    case 'TaskScheduled':
      return {
        kind: 'run',
        due: event.runAt,
        leaseMs: 0,
        released: false,
        task: event.task,
        failures: 0,
        recoveries: 0,
      };
    case 'TaskRetryScheduled':
      return {
        kind: 'retry',
        due: appendedAt + Math.max(0, event.retryAt - event.occurredAt),
        leaseMs: 0,
        released: event.error.code === workerStoppedCode,
        task: event.task,
        failures: event.failures,
        recoveries: event.recoveries,
      };
    case 'TaskHeartbeat':
      if (event.task === null) return null;
      return {
        kind: 'lease',
        due: readAt + event.leaseMs,
        leaseMs: event.leaseMs,
        released: false,
        task: event.task,
        failures: event.failures,
        recoveries: event.recoveries,
      };
    default:
      return null;
  }
}

/** After any gap in reading the task's partition (error, reassignment, new leader) its lease starts anew: the heartbeats may not have been seen. */
export function restartLease(row: TimerRow, now: number): TimerRow {
  if (row.timer?.kind !== 'lease') return row;
  return { ...row, timer: { ...row.timer, due: Math.max(row.timer.due ?? 0, now + row.timer.leaseMs) } };
}

/** Whether the row may be deleted: its task ended so long ago that no late event comes any more. */
export function isForgettable(
  row: TimerRow,
  now: number,
  { rememberEndedMs }: Pick<ProtocolValues, 'rememberEndedMs'> = protocolDefaults,
): boolean {
  return row.endedAt !== null && now - row.endedAt >= rememberEndedMs;
}
