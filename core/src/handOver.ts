import type { TaskEvent, TaskHeartbeat, TaskQueued } from '@taskflow/schemas/events';
import { isEnd } from '@taskflow/schemas/fold';
import { type EventStamp, eventHead } from './eventHead.ts';
import { type ProtocolValues, protocolDefaults } from './protocolValues.ts';
import type { RunHold } from './runHold.ts';

/** A run whose record is still locked: it runs, or it waits to run alone. Times of the worker's monotonic clock. */
export interface LockedRun {
  /** When the handler began, or when the record came where it still waits. */
  readonly since: number;
  readonly offset: number;
  readonly hold: RunHold;
}

export type HandOverReason = 'age' | 'window' | 'session-lost' | 'lock-passed';

export interface HandOver {
  readonly reason: HandOverReason;
  /**
   * Before it: read the log, and hand over only if nobody has taken the run meanwhile (`isOvertakenBy`). A worker that was
   * frozen for an hour would otherwise claim what has long ended. From where: from the run's own start where that was
   * claimed (`decideClaim`), or from the look before it where the lock had passed by then; else from when its fetch left, as a
   * frozen process reads the answer late.
   */
  readonly lookFirst: boolean;
  /** After it: read the log, from the same place, up to the hand-over. If somebody started the run before, then it is overtaken. */
  readonly lookAfter: boolean;
}

/**
 * Whether a run's lease moves from the broker's lock to the log now: by age; when its partition has moved a quarter of the
 * window of locks beyond it (it stalls behind its oldest lock); at once when its session or its lock is lost.
 */
export function decideHandOver(
  run: LockedRun,
  at: { readonly now: number /** Highest offset had from the partition. */; readonly highest: number },
  values: ProtocolValues = protocolDefaults,
): HandOver | undefined {
  if (run.hold.leaseUntil !== null || run.hold.overtaken) return undefined;
  if (run.hold.lockedUntil <= at.now) return { reason: 'lock-passed', lookFirst: true, lookAfter: true };
  if (run.hold.lockLost) return { reason: 'session-lost', lookFirst: false, lookAfter: true };
  if (at.highest - run.offset >= values.maxRecordLocks / 4) return due('window');
  if (at.now - run.since >= values.handOverAfterMs) return due('age');
  return undefined;
}

function due(reason: HandOverReason): HandOver {
  return { reason, lookFirst: false, lookAfter: false };
}

/** A heartbeat that hands over: from its append on the log holds the lease. `stamp.workerId` is the worker that runs it, whoever writes. */
export function handOverEvent(queued: TaskQueued, stamp: EventStamp, leaseMs: number): TaskHeartbeat {
  return {
    event: 'TaskHeartbeat',
    ...eventHead(queued, stamp),
    progress: null,
    note: null,
    task: queued.task,
    failures: queued.failures,
    recoveries: queued.recoveries,
    leaseMs,
  };
}

/**
 * Whether an event, found behind the run's own start, means that the run is not this worker's any more: somebody else started
 * the attempt, or it is settled. A hand-over in this worker's name (`starter`) takes nothing from it.
 */
export function isOvertakenBy(event: TaskEvent, run: TaskQueued, workerId: string): boolean {
  if (event.taskId !== run.taskId || event.generation < run.generation) return false;
  if (event.generation > run.generation || isEnd(event.event) || event.attempt > run.attempt) return true;
  if (event.attempt < run.attempt) return false;
  if (event.event === 'TaskRetryScheduled') return true;
  return event.event === 'TaskStarted' && event.workerId !== workerId;
}
