import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { MAX_WAIT_SECONDS, waitPreference } from '../http/prefer.ts';
import { idempotencyKey, submissionShape } from '../shapes/submission.ts';
import { taskShape } from '../shapes/task.ts';
import { acceptedAnswer } from '../submission/acceptedAnswer.ts';
import type { AcceptedTask } from '../submission/submissions.ts';
import { taskAnswer } from '../views/taskAnswer.ts';

const prefer = z
  .string()
  .optional()
  .describe(
    `\`wait=N\`: answer when the task has ended, or after N seconds (at most ${MAX_WAIT_SECONDS}) as it then is`,
  );

export default defineEndpoint({
  method: 'post',
  path: '/tasks',
  id: 'submitTask',
  tag: 'Tasks',
  summary: 'Submit a task',
  description:
    'The answer is given after the log has acknowledged the task: from then on it will end, whatever dies. ' +
    'Without an `Idempotency-Key` nothing but the log is needed for that.',
  headers: z.object({ 'idempotency-key': idempotencyKey, prefer }),
  body: { schema: submissionShape, maxBytes: (limits) => limits.maxTaskBytes },
  answers: {
    201: { description: 'The task was accepted', schema: taskShape, headers: { Location: 'The address of the task' } },
    200: {
      description: 'A request with this idempotency key and body was accepted before; its task as it is now',
      schema: taskShape,
      headers: { Location: 'The address of the task' },
    },
  },
  problems: [
    'unknown-type',
    'idempotency-conflict',
    'log-unavailable',
    'store-unavailable',
    'type-unusable',
    'overloaded',
  ],
  async handle({ principal, headers, body, clientGone }, { submissions, reading }) {
    const { created, tasks } = await submissions.submit(principal, [body], false, headers['idempotency-key'], body);
    const accepted = tasks[0] as AcceptedTask;
    const { taskId } = accepted.event;
    let state = created ? undefined : (await reading.getMany(principal, [taskId])).get(taskId);
    const wait = waitPreference(headers.prefer);
    if (wait !== undefined) state = (await reading.ended(principal, taskId, wait * 1_000, clientGone())) ?? state;
    return {
      status: created ? 201 : 200,
      headers: {
        Location: `/tasks/${taskId}`,
        ...(wait === undefined ? undefined : { 'Preference-Applied': `wait=${wait}` }),
      },
      json: state === undefined ? acceptedAnswer(accepted) : taskAnswer(state),
    };
  },
});
