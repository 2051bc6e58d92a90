import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { integerText, taskId } from '../shapes/values.ts';

const DEFAULT_LINES = 1_000;
const MAX_LINES = 10_000;

const lineShape = z
  .strictObject({
    at: z.iso.datetime(),
    level: z.string(),
    message: z.string(),
    fields: z.unknown(),
    generation: z.int(),
    attempt: z.int(),
    workerId: z.string(),
  })
  .meta({ id: 'TaskLogLine', description: "A line that a task's own code wrote" });

export default defineEndpoint({
  method: 'get',
  path: '/tasks/{id}/logs',
  id: 'getTaskLogs',
  tag: 'Tasks',
  summary: "What a task's own code has logged",
  description: 'In the order in which it was written. Lines are kept for 7 days.',
  params: z.strictObject({ id: taskId }),
  query: z.strictObject({
    limit: integerText(1, MAX_LINES, `The first lines, this many; ${DEFAULT_LINES} without it`).optional(),
  }),
  answers: { 200: { description: 'The lines', schema: z.strictObject({ items: z.array(lineShape) }) } },
  problems: ['task-not-found', 'view-behind', 'store-unavailable'],
  async handle({ principal, params: { id }, query: { limit = DEFAULT_LINES } }, { reading, taskLogs }) {
    await reading.get(principal, id);
    return { status: 200, json: { items: await taskLogs.first(id, limit) } };
  },
});
