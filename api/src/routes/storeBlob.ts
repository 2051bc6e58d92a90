import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';

export default defineEndpoint({
  method: 'post',
  path: '/blobs',
  id: 'storeBlob',
  tag: 'Tasks',
  summary: 'Store bytes for a task to work on',
  description: 'Not available yet.',
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('The blob store'),
});
