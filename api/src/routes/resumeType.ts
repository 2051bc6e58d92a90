import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';
import { typeName } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'post',
  path: '/types/{type}/resume',
  id: 'resumeType',
  tag: 'Task types',
  summary: 'Start tasks of a type again',
  description: 'Not available yet.',
  params: z.strictObject({ type: typeName }),
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('Resuming a type'),
});
