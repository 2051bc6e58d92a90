import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';

export default defineEndpoint({
  method: 'get',
  path: '/openapi.json',
  id: 'getOpenApi',
  tag: 'Documentation',
  summary: 'The api as an OpenAPI 3.1 document',
  open: true,
  answers: { 200: { description: 'The document', schema: z.looseObject({ openapi: z.string() }) } },
  handle: (_request, { documentation }) => ({
    status: 200,
    text: { contentType: 'application/json; charset=utf-8', content: documentation.openapi },
  }),
});
