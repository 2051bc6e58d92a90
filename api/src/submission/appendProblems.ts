import { BackPressureError, PartialAppendError, RecordTooLargeError } from '@taskflow/log/errors';
import { MAX_FIELD_ERRORS } from '../http/fieldErrors.ts';
import { type FieldError, Problem } from '../http/problem.ts';

const TRY_AGAIN_SECONDS = 2;

/** What a caller is told when the log did not take a task. */
export function appendProblem(error: unknown): Problem {
  if (error instanceof RecordTooLargeError) {
    return new Problem('body-too-large', 'The task is larger than a record of the event log may be.', { cause: error });
  }
  if (error instanceof BackPressureError) {
    return new Problem(
      'overloaded',
      'More tasks are coming in than the event log takes. Nothing of this was accepted.',
      {
        retryAfter: 1,
        cause: error,
      },
    );
  }
  return new Problem(
    'log-unavailable',
    'The event log did not acknowledge in time. Whether it took anything is not known: ' +
      'with an Idempotency-Key it is safe to try again.',
    { retryAfter: TRY_AGAIN_SECONDS, cause: error },
  );
}

/**
 * What the caller of a batch is told when the log took a part of it: the tasks that it took, by index and id, so that
 * only the others need be sent again. Of those others some may still come, where no answer told otherwise.
 */
export function partlyAccepted(error: unknown, events: readonly { readonly taskId: string }[]): Problem | undefined {
  if (!(error instanceof PartialAppendError)) return undefined;
  const accepted: { index: number; id: string }[] = [];
  const errors: FieldError[] = [];
  for (const [index, outcome] of error.outcomes.entries()) {
    if (!(outcome instanceof Error)) accepted.push({ index, id: (events[index] as { taskId: string }).taskId });
    else if (errors.length < MAX_FIELD_ERRORS) errors.push({ path: `tasks[${index}]`, message: outcome.message });
  }
  return new Problem(
    'partly-accepted',
    `The event log took ${accepted.length} of ${events.length} tasks; they will run. With an Idempotency-Key the whole ` +
      'batch can be sent again safely.',
    { retryAfter: TRY_AGAIN_SECONDS, errors, extensions: { accepted }, cause: error },
  );
}
