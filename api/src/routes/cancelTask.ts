import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { commandBody, MAX_COMMAND_BYTES } from '../shapes/command.ts';
import { taskShape } from '../shapes/task.ts';
import { taskId } from '../shapes/values.ts';
import { taskAnswer } from '../views/taskAnswer.ts';

export default defineEndpoint({
  method: 'post',
  path: '/tasks/{id}/cancel',
  id: 'cancelTask',
  tag: 'Tasks',
  summary: 'Cancel a task',
  description:
    'Ends a task that is scheduled, queued, running or retrying; what runs is aborted. Of a cancel and another end that meet, the first on the log counts: ' +
    '202 says that it was this cancel. Otherwise 409, with the status in `taskStatus`.',
  params: z.strictObject({ id: taskId }),
  body: { schema: commandBody, maxBytes: () => MAX_COMMAND_BYTES, optional: true },
  answers: { 202: { description: 'It is cancelled', schema: taskShape } },
  problems: [
    'task-not-found',
    'task-not-cancellable',
    'view-behind',
    'store-unavailable',
    'log-unavailable',
    'overloaded',
  ],
  async handle({ id: requestId, principal, params, body }, { commands }) {
    const reason = body.reason ?? null;
    const task = await commands.cancel({ principal, taskId: params.id, reason, requestId });
    return { status: 202, json: taskAnswer(task) };
  },
});
