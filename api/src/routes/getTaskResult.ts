import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { Problem } from '../http/problem.ts';
import { taskId } from '../shapes/values.ts';
import { resultExpiresAt, timeText } from '../views/taskAnswer.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

export default defineEndpoint({
  method: 'get',
  path: '/tasks/{id}/result',
  id: 'getTaskResult',
  tag: 'Tasks',
  summary: 'The result of a task',
  description: 'The document itself. Only a task that ended with `success` has one.',
  params: z.strictObject({ id: taskId }),
  answers: { 200: { description: 'The result, as the type describes it', schema: z.unknown() } },
  problems: [
    'task-not-found',
    'result-not-available',
    'result-expired',
    'view-behind',
    'store-unavailable',
    'not-implemented',
  ],
  async handle({ principal, params: { id } }, { reading, results }) {
    const state = await reading.get(principal, id);
    const { result } = state;
    if (result === null) {
      throw new Problem('result-not-available', `The task is ${state.status}; only a success has a result.`, {
        extensions: { taskStatus: state.status },
      });
    }
    const expiresAt = resultExpiresAt(state);
    if (expiresAt !== null && expiresAt <= Date.now()) {
      throw new Problem('result-expired', `The result was kept until ${timeText(expiresAt)}.`);
    }
    if (result.storage === 'inline') {
      return { status: 200, text: { contentType: JSON_TYPE, content: result.value ?? 'null' } };
    }
    if (result.storage === 'mongo' && result.ref !== null) {
      return { status: 200, text: { contentType: JSON_TYPE, content: await results.require(result.ref) } };
    }
    throw new Problem('not-implemented', `Results in the storage "${result.storage}" cannot be read in this version.`);
  },
});
