import { z } from 'zod';
import { blobResult } from '../blobs/blobResult.ts';
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
  description:
    'The document itself, or the bytes where the result is a file or large. Only a task that ended with `success` has one.',
  params: z.strictObject({ id: taskId }),
  headers: z.object({
    range: z.string().optional().describe('One range of bytes, of a result in the blob store'),
    'if-range': z.string().optional(),
  }),
  answers: {
    200: { description: 'The result, as the type describes it', schema: z.unknown(), orBytes: true },
    206: { description: 'The part that `Range` asks for', schema: z.unknown(), orBytes: true },
  },
  problems: [
    'task-not-found',
    'result-not-available',
    'result-expired',
    'view-behind',
    'store-unavailable',
    'range-not-satisfiable',
    'not-implemented',
  ],
  async handle({ principal, params: { id }, headers, clientGone }, { reading, results, blobs }) {
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
    if (result.storage === 's3') {
      const { range, 'if-range': ifRange } = headers;
      return blobResult(blobs, result, { userId: state.userId, range, ifRange, signal: clientGone() });
    }
    throw new Problem('not-implemented', `Results in the storage "${result.storage}" cannot be read in this version.`);
  },
});
