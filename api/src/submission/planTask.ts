import { fieldPath } from '../http/fieldErrors.ts';
import { type FieldError, Problem } from '../http/problem.ts';
import type { Submission } from '../shapes/submission.ts';
import type { KnownType, TypeCatalogue } from '../types.ts';

/** A submission that has passed every check, with the type that it names. */
export interface TaskPlan {
  readonly type: KnownType;
  readonly submission: Submission;
}

type PathPrefix = readonly PropertyKey[];

/**
 * Checks a submission against the type that it names. A fault of the caller's is collected, so that a batch can name all
 * its bad tasks; what no change of the body helps against is thrown.
 */
export function planTask(
  submission: Submission,
  types: TypeCatalogue,
  errors: FieldError[],
  prefix: PathPrefix = [],
): TaskPlan | undefined {
  const type = types.get(submission.type);
  if (type === undefined) {
    errors.push({ path: fieldPath([...prefix, 'type']), message: unknownType(submission.type, types) });
    return undefined;
  }
  if (submission.runAt !== undefined) {
    throw new Problem('not-implemented', 'Tasks for later (runAt) are not available in this version.', {
      errors: [{ path: fieldPath([...prefix, 'runAt']), message: 'is not available yet' }],
    });
  }
  if (type.check === undefined) {
    throw new Problem('type-unusable', `No "${submission.type}" task can be accepted: its schema cannot be used.`, {
      retryAfter: 60,
    });
  }
  const fault = type.check(submission.payload);
  if (fault !== undefined) {
    errors.push({ path: fieldPath([...prefix, 'payload', ...fault.at]), message: fault.message });
    return undefined;
  }
  return { type, submission };
}

export function unknownType(name: string, types: TypeCatalogue): string {
  const names = types.all().map(({ registered }) => registered.type);
  return `is not a known type: ${JSON.stringify(name)}; known are ${names.length === 0 ? 'none yet' : names.join(', ')}`;
}
