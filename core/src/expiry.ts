import type { Task, TaskError } from '@taskflow/schemas/events';

/**
 * The failure of a task whose first start comes too late; undefined where it is in time, or has no `expiresAt`.
 * `at` is a broker's time, as near to now as is known (the append time of the last record read, say): a worker whose
 * clock is wrong must not expire what has only just been queued.
 */
export function expiredError(task: Task, at: number): TaskError | undefined {
  if (task.expiresAt === null || at < task.expiresAt) return undefined;
  return {
    code: 'EXPIRED',
    message: `Not started by ${new Date(task.expiresAt).toISOString()}, its expiresAt`,
    retryable: false,
    details: null,
  };
}

/** Whether `expiresAt` bounds this start: the first of its generation. What was started before is not expired by a lost worker. */
export function mayExpire(queued: { readonly attempt: number }, starts: number): boolean {
  return queued.attempt === 1 && starts === 1;
}
