import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';

export default defineEndpoint({
  method: 'post',
  path: '/tasks/bulk',
  id: 'startBulk',
  tag: 'Tasks',
  summary: 'Cancel or retry many tasks',
  description: 'Not available yet.',
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('Acting on many tasks'),
});
