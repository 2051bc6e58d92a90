import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';
import { uuid } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'get',
  path: '/bulk/{id}',
  id: 'getBulk',
  tag: 'Tasks',
  summary: 'How far a bulk action is',
  description: 'Not available yet.',
  params: z.strictObject({ id: uuid }),
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('Acting on many tasks'),
});
