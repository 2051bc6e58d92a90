import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { requireOwn, user } from '../shapes/taskQuery.ts';
import { typeName } from '../shapes/values.ts';
import { timeText } from '../views/taskAnswer.ts';

const deadLetters = z.strictObject({
  type: z.string(),
  code: z.string().describe('Of the error with which they failed'),
  count: z.int().min(1),
  lastAt: z.iso.datetime().describe('When the last of them failed'),
});

export default defineEndpoint({
  method: 'get',
  path: '/dead-letters',
  id: 'listDeadLetters',
  tag: 'Operations',
  summary: 'Failed tasks by type and error code',
  description:
    'Exact: kept in the same transaction as the list. `/tasks?status=failed&type=…&errorCode=…` lists them, and `/tasks/bulk` runs them again: ' +
    '`{"action": "retry", "filter": {"type": "…", "errorCode": "…"}}`.',
  query: z.strictObject({ user, type: typeName.optional() }),
  answers: { 200: { description: 'The counts', schema: z.strictObject({ items: z.array(deadLetters) }) } },
  problems: ['forbidden', 'store-unavailable'],
  async handle({ principal, query }, { tasks }) {
    requireOwn(principal, query.user);
    const items = await tasks.deadLetters(principal, query);
    return {
      status: 200,
      json: { items: items.map(({ lastAt, ...rest }) => ({ ...rest, lastAt: timeText(lastAt) })) },
    };
  },
});
