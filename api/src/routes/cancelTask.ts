import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';
import { taskId } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'post',
  path: '/tasks/{id}/cancel',
  id: 'cancelTask',
  tag: 'Tasks',
  summary: 'Cancel a task',
  description: 'Not available yet.',
  params: z.strictObject({ id: taskId }),
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('Cancelling a task'),
});
