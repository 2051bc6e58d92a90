import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { requireOwn, user } from '../shapes/taskQuery.ts';
import { status, typeName } from '../shapes/values.ts';

const count = z.strictObject({ type: z.string(), status, count: z.int().min(0) });

export default defineEndpoint({
  method: 'get',
  path: '/tasks/counts',
  id: 'countTasks',
  tag: 'Tasks',
  summary: 'How many tasks there are of each type and status',
  description: 'Exact: kept in the same transaction as the list. What there is none of is left out.',
  query: z.strictObject({ user, type: typeName.optional() }),
  answers: { 200: { description: 'The counts', schema: z.strictObject({ items: z.array(count) }) } },
  problems: ['forbidden', 'store-unavailable'],
  async handle({ principal, query }, { tasks }) {
    requireOwn(principal, query.user);
    return { status: 200, json: { items: await tasks.counts(principal, query) } };
  },
});
