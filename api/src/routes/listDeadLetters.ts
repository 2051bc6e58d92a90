import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';

export default defineEndpoint({
  method: 'get',
  path: '/dead-letters',
  id: 'listDeadLetters',
  tag: 'Operations',
  summary: 'Failed tasks by type and error code',
  description: 'Not available yet.',
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('The list of dead letters'),
});
