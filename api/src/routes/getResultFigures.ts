import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { Problem } from '../http/problem.ts';
import { taskId } from '../shapes/values.ts';

export default defineEndpoint({
  method: 'get',
  path: '/tasks/{id}/result/figures',
  id: 'getResultFigures',
  tag: 'Tasks',
  summary: 'What is known of a result that is a file',
  description: 'Sizes, dimensions, …, as the task type describes them. Only a result that is a file has some.',
  params: z.strictObject({ id: taskId }),
  answers: { 200: { description: 'The figures, as the type describes them', schema: z.unknown() } },
  problems: ['task-not-found', 'result-not-available'],
  async handle({ principal, params: { id } }, { reading }) {
    const { result, status } = await reading.get(principal, id);
    if (result?.storage !== 's3' || result.value === null) {
      const detail =
        result === null
          ? `The task is ${status}; only a success has a result.`
          : 'The result is a document, which says all there is to know.';
      throw new Problem('result-not-available', detail, { extensions: { taskStatus: status } });
    }
    return { status: 200, text: { contentType: 'application/json; charset=utf-8', content: result.value } };
  },
});
