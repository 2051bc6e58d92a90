import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { fieldPath } from '../http/fieldErrors.ts';
import { Problem } from '../http/problem.ts';
import { previewFailed, previewProblem, previewProblemKinds } from '../preview/previewProblems.ts';
import { anyObject, typeName } from '../shapes/values.ts';
import { unknownType } from '../submission/planTask.ts';

/** A preview is for something small, whatever the limit of tasks is; workers take no more. */
const MAX_BYTES = 1024 * 1024;
const MAX_DEADLINE_MS = 30_000;

const previewRequest = z
  .strictObject({
    payload: anyObject.describe("As of a task: it must fit the type's schema"),
    deadlineMs: z
      .int()
      .min(1)
      .max(MAX_DEADLINE_MS)
      .default(5_000)
      .describe('How long the task may take, in milliseconds'),
  })
  .meta({ id: 'PreviewRequest' });

export default defineEndpoint({
  method: 'post',
  path: '/types/{type}/preview',
  id: 'previewType',
  tag: 'Task types',
  summary: 'Run a payload without making a task',
  description: `A worker runs it once, at once, and the answer is its result. There is no task, no event, no retry, and nothing
is stored. For small tasks of the types that Go workers run. When the client goes away, or the deadline has passed, the task is
told to stop. Where the task itself fails, the problem (422) has its \`error\`: \`{code, message, retryable, details}\`.`,
  params: z.strictObject({ type: typeName }),
  body: { schema: previewRequest, maxBytes: ({ maxTaskBytes }) => Math.min(maxTaskBytes, MAX_BYTES) },
  answers: {
    200: {
      description: 'What the task gave',
      schema: z.strictObject({ result: z.unknown().describe("As the type's result schema says") }),
    },
  },
  problems: previewProblemKinds,
  async handle({ principal, params: { type }, body: { payload, deadlineMs }, clientGone }, { types, previews }) {
    const known = types.get(type);
    if (known === undefined) throw new Problem('type-not-found', `The type ${unknownType(type, types)}.`);
    if (known.check === undefined) {
      throw new Problem('type-unusable', `No "${type}" task can be run: its schema cannot be used.`, {
        retryAfter: 60,
      });
    }
    const fault = known.check(payload);
    if (fault !== undefined) {
      const errors = [{ path: fieldPath(['payload', ...fault.at]), message: fault.message }];
      throw new Problem('invalid-request', "The payload does not fit its type's schema.", { errors });
    }
    const call = { type, payload: JSON.stringify(payload), userId: principal.userId, deadlineMs, signal: clientGone() };
    const { result, failure } = await previews.preview(call).catch((error: unknown) => {
      throw previewProblem(error, type, deadlineMs);
    });
    if (failure != null) throw previewFailed(failure);
    return { status: 200, json: { result: JSON.parse(result ?? 'null') as unknown } };
  },
});
