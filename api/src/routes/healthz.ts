import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';

export default defineEndpoint({
  method: 'get',
  path: '/healthz',
  id: 'getHealth',
  tag: 'Operations',
  summary: 'Whether the process answers',
  open: true,
  answers: { 200: { description: 'It does', schema: z.strictObject({ status: z.literal('ok') }) } },
  handle: () => ({ status: 200, json: { status: 'ok' } }),
});
