import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { taskShape } from '../shapes/task.ts';
import { taskId } from '../shapes/values.ts';
import { taskAnswer } from '../views/taskAnswer.ts';

export default defineEndpoint({
  method: 'get',
  path: '/tasks/{id}',
  id: 'getTask',
  tag: 'Tasks',
  summary: 'A task as it is now',
  description:
    'A task that was just created is found: for an id that it does not know, the api waits until its view has passed the end of the log.',
  params: z.strictObject({ id: taskId }),
  answers: { 200: { description: 'The task', schema: taskShape } },
  problems: ['task-not-found', 'view-behind', 'store-unavailable'],
  async handle({ principal, params }, { reading }) {
    return { status: 200, json: taskAnswer(await reading.get(principal, params.id)) };
  },
});
