import { type FieldError, Problem } from '../http/problem.ts';
import type { Submission } from '../shapes/submission.ts';
import type { TypeCatalogue } from '../types.ts';

/** What is said of submissions with faults: of unknown types before all else, as nothing more can be said of their payloads. */
export function badTasks(
  errors: readonly FieldError[],
  submissions: readonly Submission[],
  types: TypeCatalogue,
): Problem {
  const knownTypes = types.all().map(({ registered }) => registered.type);
  const unknown = submissions.find(({ type }) => types.get(type) === undefined);
  if (unknown !== undefined) {
    const detail = `There is no task type "${unknown.type}"; known are: ${knownTypes.join(', ') || 'none yet'}.`;
    return new Problem('unknown-type', detail, { errors, extensions: { knownTypes } });
  }
  return new Problem('invalid-request', "A payload does not fit its type's schema. Nothing was submitted.", { errors });
}

/** A key that cannot be looked up is not passed over: the task might be there already. */
export function idempotencyUnavailable(error: unknown): never {
  throw new Problem(
    'store-unavailable',
    'Idempotency keys cannot be looked up at present, so nothing was accepted; without a key it would be.',
    { retryAfter: 2, cause: error },
  );
}
