import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { notYet } from '../http/notYet.ts';
import { taskId } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'post',
  path: '/tasks/{id}/retry',
  id: 'retryTask',
  tag: 'Tasks',
  summary: 'Run an ended task again',
  description: 'Not available yet.',
  params: z.strictObject({ id: taskId }),
  answers: {},
  problems: ['not-implemented'],
  handle: notYet('Running an ended task again'),
});
