import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { eventShape } from '../shapes/event.ts';
import { taskId } from '../shapes/values.ts';
import { eventsAnswer } from '../views/taskAnswer.ts';

export default defineEndpoint({
  method: 'get',
  path: '/tasks/{id}/events',
  id: 'getTaskEvents',
  tag: 'Tasks',
  summary: 'What happened to a task',
  params: z.strictObject({ id: taskId }),
  answers: { 200: { description: 'Its events', schema: z.strictObject({ items: z.array(eventShape) }) } },
  problems: ['task-not-found', 'view-behind', 'store-unavailable'],
  async handle({ principal, params }, { reading }) {
    return { status: 200, json: { items: eventsAnswer(await reading.get(principal, params.id)) } };
  },
});
