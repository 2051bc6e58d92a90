import type { TaskError, TaskQueued } from '@taskflow/schemas/events';

/** What follows a failed attempt. */
export type RetryDecision = 'final';

/**
 * Decides what follows a failed attempt. Every failure is final as yet: a retry needs the timer that queues the next
 * attempt (PROTOCOL, "Timers"). The policy that will be asked here lies in the task (maxAttempts, backoff,
 * notRetryable) and the error (retryable), so nothing that calls this changes when it comes.
 */
export function decideRetry(_queued: TaskQueued, _error: TaskError): RetryDecision {
  return 'final';
}
