import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { typeAnswer, typeShape } from '../shapes/taskType.ts';

export default defineEndpoint({
  method: 'get',
  path: '/types',
  id: 'listTypes',
  tag: 'Task types',
  summary: 'The task types that workers have published',
  answers: { 200: { description: 'The types', schema: z.strictObject({ items: z.array(typeShape) }) } },
  handle(_request, { types, typeCommands }) {
    const items = types.all().map((type) => typeAnswer(type, typeCommands.isPaused(type.registered.type)));
    return { status: 200, json: { items } };
  },
});
