import type { TaskError, TaskQueued } from '@taskflow/schemas/events';

/** What follows a failed attempt. */
export type RetryDecision =
  | { readonly kind: 'final' }
  /** A further attempt, after so long. */
  | { readonly kind: 'retry'; readonly delayMs: number };

export interface RetryContext {
  /** From 0 to 1 (excluded): where between nothing and its bound the delay lies. */
  readonly random: number;
}

/**
 * Decides what follows a failed attempt. The task ends where the error is not retryable, its code is among the task's
 * `notRetryable`, or as many attempts of the generation have failed as `maxAttempts` allows (recovered and released
 * attempts are no failures). Otherwise the next is due after a delay drawn between 0 and the backoff's bound (full jitter), so
 * that tasks that failed together don't come back together.
 *
 * Without a context every failure is final: nobody would queue the next attempt as long as no orchestrator runs.
 */
export function decideRetry(queued: TaskQueued, error: TaskError, context?: RetryContext): RetryDecision {
  if (context === undefined) return { kind: 'final' };
  const failures = queued.failures + 1;
  const hopeless = !error.retryable || queued.task.notRetryable.includes(error.code);
  if (hopeless || failures >= queued.task.maxAttempts) return { kind: 'final' };
  return { kind: 'retry', delayMs: Math.floor(context.random * backoffBoundMs(queued.task, failures)) };
}

/** The longest delay before the attempt that follows so many failures (1 or more): base · factor^(failures − 1), at most the cap. */
export function backoffBoundMs(
  task: { readonly backoffBaseMs: number; readonly backoffFactor: number; readonly backoffCapMs: number },
  failures: number,
): number {
  // base 0 times an overflow to infinity would be no number
  if (task.backoffBaseMs === 0) return 0;
  return Math.min(task.backoffCapMs, task.backoffBaseMs * task.backoffFactor ** (failures - 1));
}
