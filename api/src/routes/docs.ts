import { z } from 'zod';
import { docsContentSecurityPolicy } from '../http/docsPage.ts';
import { defineEndpoint } from '../http/endpoint.ts';

export default defineEndpoint({
  method: 'get',
  path: '/docs',
  id: 'getDocs',
  tag: 'Documentation',
  summary: 'The api as a page to read',
  open: true,
  answers: { 200: { description: 'The page', schema: z.string(), contentType: 'text/html' } },
  handle: (_request, { documentation }) => ({
    status: 200,
    text: { contentType: 'text/html; charset=utf-8', content: documentation.page },
    headers: { 'Content-Security-Policy': docsContentSecurityPolicy },
  }),
});
