import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';
import { typeName } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'post',
  path: '/types/{type}/preview',
  id: 'previewType',
  tag: 'Task types',
  summary: 'Run a payload without making a task',
  description: 'Not available yet.',
  params: z.strictObject({ type: typeName }),
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('Preview'),
});
