import { fieldPath } from '../http/fieldErrors.ts';
import { type FieldError, Problem } from '../http/problem.ts';
import type { Submission } from '../shapes/submission.ts';
import type { KnownType, TypeCatalogue } from '../types.ts';

/** A submission that has passed every check, with the type that it names. */
export interface TaskPlan {
  readonly type: KnownType;
  readonly submission: Submission;
  /** In milliseconds; null: as soon as may be. */
  readonly runAt: number | null;
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
  const runAt = submission.runAt === undefined ? null : Date.parse(submission.runAt);
  if (runAt !== null && !mayBeStartedIn(submission, runAt, errors, prefix)) return undefined;
  return { type, submission, runAt };
}

/** The last moment that has a four-digit year, in UTC. */
const LATEST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Whether there is a time left between `runAt` and `expiresAt`. */
function mayBeStartedIn({ expiresAt }: Submission, runAt: number, errors: FieldError[], prefix: PathPrefix): boolean {
  if (runAt > LATEST_TIME) {
    errors.push({ path: fieldPath([...prefix, 'runAt']), message: 'must lie before the year 10000' });
  } else if (expiresAt !== undefined && Date.parse(expiresAt) <= runAt) {
    errors.push({ path: fieldPath([...prefix, 'expiresAt']), message: 'must be later than runAt' });
  } else return true;
  return false;
}

export function unknownType(name: string, types: TypeCatalogue): string {
  const names = types.all().map(({ registered }) => registered.type);
  return `is not a known type: ${JSON.stringify(name)}; known are ${names.length === 0 ? 'none yet' : names.join(', ')}`;
}
