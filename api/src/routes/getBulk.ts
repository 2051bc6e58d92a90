import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { uuid } from '../shapes/values.ts';

const count = z.int().min(0);

const progress = z
  .strictObject({
    state: z.enum(['running', 'done']),
    matched: count.describe('Tasks that matched when it was asked for'),
    done: count.describe('Those whose event is on the log'),
    failed: count.describe(
      'Those that were left as they are: they had moved on by their turn. At the end `done` and `failed` are all',
    ),
  })
  .meta({ id: 'BulkProgress', description: 'How far an action on many tasks is' });

export default defineEndpoint({
  method: 'get',
  path: '/bulk/{id}',
  id: 'getBulk',
  tag: 'Tasks',
  summary: 'How far an action on many tasks is',
  params: z.strictObject({ id: uuid.describe('As `/tasks/bulk` gave it') }),
  answers: { 200: { description: 'Its progress', schema: progress } },
  problems: ['bulk-not-found', 'store-unavailable'],
  async handle({ principal, params }, { bulks }) {
    return { status: 200, json: await bulks.get(principal, params.id) };
  },
});
