import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { MAX_COMMAND_BYTES, reason } from '../shapes/command.ts';
import { requireOwn, taskFilters } from '../shapes/taskQuery.ts';

const body = z
  .strictObject({
    action: z
      .enum(['cancel', 'retry'])
      .describe('`cancel` acts on what has not ended, `retry` on what failed or was cancelled'),
    filter: z.strictObject(taskFilters).describe('As for the list of tasks; an empty one leaves all'),
    dryRun: z.boolean().optional().describe('Only tell how many tasks it would act on'),
    reason,
  })
  .meta({ id: 'Bulk', description: 'An action on many tasks' });

const matched = z.int().min(0).describe('Tasks that it acts on');

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

export default defineEndpoint({
  method: 'post',
  path: '/tasks/bulk',
  id: 'startBulk',
  tag: 'Tasks',
  summary: 'Cancel or retry many tasks',
  description:
    'Acts on all tasks that match at this moment, and goes on in the background, whatever dies; `/bulk/{id}` tells how far it is. ' +
    'A task that has moved on by its turn is left as it is.',
  body: { schema: body, maxBytes: () => MAX_COMMAND_BYTES },
  answers: {
    200: { description: 'What a dry run found', schema: z.strictObject({ matched }) },
    202: {
      description: 'It will be done',
      schema: z.strictObject({ id: z.uuid(), matched }),
      headers: { Location: 'Where to see how far it is' },
    },
  },
  problems: ['forbidden', 'view-behind', 'store-unavailable'],
  async handle({ id: requestId, principal, body }, { bulks }) {
    const { action, filter, dryRun = false, reason = null } = body;
    requireOwn(principal, filter.user);
    const filters = { ...filter, from: timeOf(filter.from), to: timeOf(filter.to) };
    if (dryRun) return { status: 200, json: { matched: await bulks.count({ principal, action, filters }) } };
    const started = await bulks.start({ principal, requestId, action, filters, reason });
    return { status: 202, headers: { Location: `/bulk/${started.id}` }, json: started };
  },
});
