import { z } from 'zod';

/** What every refusal is answered with. */
export const problemShape = z
  .looseObject({
    type: z.string().describe('`urn:taskflow:problem:<name>`: what went wrong, for programs'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened, to what, and what to do'),
    requestId: z.string().describe('The id of the request, as in the `X-Request-Id` header and in the log'),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .describe('Faults in single fields, named by path: `tasks[1].payload.url`'),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457)' });
