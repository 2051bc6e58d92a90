import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';

const check = z.union([
  z.strictObject({ state: z.literal('ok') }),
  z.strictObject({ state: z.enum(['degraded', 'failing']), reason: z.string() }),
]);

const report = z
  .strictObject({ status: z.enum(['ready', 'degraded', 'not-ready']), checks: z.record(z.string(), check) })
  .meta({ id: 'Readiness', description: 'What the api needs, and how each of it is' });

export default defineEndpoint({
  method: 'get',
  path: '/readyz',
  id: 'getReadiness',
  tag: 'Operations',
  summary: 'Whether tasks can be accepted',
  open: true,
  answers: {
    200: { description: 'Tasks can be accepted; what else is away is `degraded`', schema: report },
    503: { description: 'Tasks cannot be accepted', schema: report },
  },
  async handle(_request, { readiness }) {
    const { status, checks } = await readiness.report();
    return { status: status === 'not-ready' ? 503 : 200, json: { status, checks } };
  },
});
