import { BackPressureError } from '@taskflow/log/errors';
import type { TaskStatus } from '@taskflow/schemas/fold';
import { Problem } from '../http/problem.ts';

/** What a caller is told when the log did not take a command. */
export function commandNotTaken(error: unknown): Problem {
  if (error instanceof BackPressureError) {
    return new Problem('overloaded', 'More is coming in than the event log takes. Nothing was done.', {
      retryAfter: 1,
      cause: error,
    });
  }
  return new Problem(
    'log-unavailable',
    'The event log did not acknowledge in time. Whether it took anything is not known; it is safe to try again.',
    { retryAfter: 2, cause: error },
  );
}

export function notCancellable(status: TaskStatus): Problem {
  const detail =
    status === 'cancelled'
      ? 'The task is cancelled already.'
      : `The task is ${status}: only what has not ended can be cancelled.`;
  return new Problem('task-not-cancellable', detail, { extensions: { taskStatus: status } });
}

export function notRedrivable(status: TaskStatus): Problem {
  return new Problem('task-not-retryable', `The task is ${status}: only failed and cancelled ones can be run again.`, {
    extensions: { taskStatus: status },
  });
}
