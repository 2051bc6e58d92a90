import type { TaskQueued, TaskRetryScheduled } from '@taskflow/schemas/events';
import { type EventStamp, eventHead } from './eventHead.ts';

/** The error of an attempt that ended because of its worker, not of itself. The orchestrator queues the next one as a `release`. */
export const workerStoppedCode = 'WORKER_STOPPED';

/**
 * Gives an attempt back through the log: the next is due at once, and no failure is counted. For what a stopping worker has
 * handed over, and for a record that comes near its delivery limit.
 */
export function workerStopped(queued: TaskQueued, message: string, stamp: EventStamp): TaskRetryScheduled {
  return {
    event: 'TaskRetryScheduled',
    ...eventHead(queued, stamp),
    error: { code: workerStoppedCode, message, retryable: true, details: null },
    retryAt: stamp.now,
    failures: queued.failures,
    recoveries: queued.recoveries,
    task: queued.task,
  };
}

/**
 * What a worker that stops does with a run that its grace did not suffice for: what is locked goes back to the broker; what
 * is handed over, and still held, goes back through the log. A zombie's is left to the end of its lease.
 */
export function decideStop(run: {
  readonly handedOver: boolean;
  readonly held: boolean;
}): 'release' | 'give-back' | 'leave' {
  if (!run.handedOver) return 'release';
  return run.held ? 'give-back' : 'leave';
}
