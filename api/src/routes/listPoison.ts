import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';

export default defineEndpoint({
  method: 'get',
  path: '/poison',
  id: 'listPoison',
  tag: 'Operations',
  summary: 'Records that could not be decoded',
  description: 'Not available yet.',
  query: z.strictObject({ topic: z.string().max(249).optional(), cursor: z.string().max(200).optional() }),
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('The list of undecodable records'),
});
