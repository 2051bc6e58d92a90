import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';

export default defineEndpoint({
  method: 'get',
  path: '/metrics',
  id: 'getMetrics',
  tag: 'Operations',
  summary: 'Metrics for Prometheus',
  open: true,
  answers: { 200: { description: 'Metrics as text', schema: z.string(), contentType: 'text/plain' } },
  async handle(_request, { metrics }) {
    const { contentType, body } = await metrics.render();
    return { status: 200, text: { contentType, content: body } };
  },
});
