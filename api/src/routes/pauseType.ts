import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';
import { typeName } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'post',
  path: '/types/{type}/pause',
  id: 'pauseType',
  tag: 'Task types',
  summary: 'Stop starting tasks of a type',
  description: 'Not available yet.',
  params: z.strictObject({ type: typeName }),
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('Pausing a type'),
});
