import { eventsTopic } from '@taskflow/schemas/topics';
import { fieldPath } from '../http/fieldErrors.ts';
import { type FieldError, Problem } from '../http/problem.ts';
import { appendProblem } from './appendProblems.ts';
import type { TaskPlan } from './planTask.ts';

/**
 * What is scheduled must still be on the log when it is due, as the timers could not be rebuilt from it otherwise: so no task is
 * taken for a time that lies further ahead than its events are kept.
 */
export async function requireKept(
  plans: readonly TaskPlan[],
  batch: boolean,
  retentionOf: (topic: string) => Promise<number>,
): Promise<void> {
  const errors: FieldError[] = [];
  for (const [index, { runAt, submission, type }] of plans.entries()) {
    if (runAt === null) continue;
    const topic = eventsTopic(submission.type, submission.priority ?? type.registered.priority);
    const retentionMs = await retentionOf(topic).catch((error: unknown) => {
      throw appendProblem(error);
    });
    if (runAt - Date.now() <= retentionMs) continue;
    const path = fieldPath(batch ? ['tasks', index, 'runAt'] : ['runAt']);
    errors.push({ path, message: `must lie within ${retentionMs / 1_000} s from now: events are not kept longer` });
  }
  if (errors.length === 0) return;
  throw new Problem('invalid-request', 'A task is for later than events are kept. Nothing was submitted.', { errors });
}
