import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { commandBody, MAX_COMMAND_BYTES } from '../shapes/command.ts';
import { taskShape } from '../shapes/task.ts';
import { taskId } from '../shapes/values.ts';
import { taskAnswer } from '../views/taskAnswer.ts';

export default defineEndpoint({
  method: 'post',
  path: '/tasks/{id}/retry',
  id: 'retryTask',
  tag: 'Tasks',
  summary: 'Run a failed or cancelled task again',
  description:
    'Opens the next generation of the task: it is queued with all its attempts before it, and without its `expiresAt`. Of several requests at once one does; ' +
    'the others, and those for a task that has not failed or been cancelled, are answered 409 with the status in `taskStatus`.',
  params: z.strictObject({ id: taskId }),
  body: { schema: commandBody, maxBytes: () => MAX_COMMAND_BYTES, optional: true },
  answers: { 202: { description: 'It is queued again', schema: taskShape } },
  problems: [
    'task-not-found',
    'task-not-retryable',
    'view-behind',
    'store-unavailable',
    'log-unavailable',
    'overloaded',
  ],
  async handle({ id: requestId, principal, params, body }, { commands }) {
    const reason = body.reason ?? null;
    const task = await commands.redrive({ principal, taskId: params.id, reason, requestId });
    return { status: 202, json: taskAnswer(task) };
  },
});
