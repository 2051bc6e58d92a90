import { priorityShape } from '@taskflow/core/options';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import type { KnownType } from '../types.ts';

const jsonSchema = z.looseObject({});

const typeShape = z
  .strictObject({
    name: z.string(),
    runtime: z.string().describe('What runs it: `typescript` or `go`'),
    version: z.int(),
    payloadSchema: jsonSchema.describe('JSON Schema (2020-12) of the payload'),
    resultSchema: jsonSchema.describe('JSON Schema (2020-12) of the result'),
    defaults: z
      .strictObject({
        priority: priorityShape,
        timeoutMs: z.int(),
        retry: z.strictObject({
          maxAttempts: z.int(),
          backoff: z.strictObject({ baseMs: z.int(), factor: z.number(), capMs: z.int() }),
          notRetryable: z.array(z.string()),
        }),
      })
      .describe('What holds where a submission says nothing'),
    paused: z.boolean(),
  })
  .meta({ id: 'TaskType', description: 'A kind of task' });

function typeAnswer({ registered }: KnownType) {
  return {
    name: registered.type,
    runtime: registered.runtime,
    version: registered.version,
    payloadSchema: JSON.parse(registered.payloadSchema) as unknown,
    resultSchema: JSON.parse(registered.resultSchema) as unknown,
    defaults: {
      priority: registered.priority,
      timeoutMs: registered.timeoutMs,
      retry: {
        maxAttempts: registered.maxAttempts,
        backoff: {
          baseMs: registered.backoffBaseMs,
          factor: registered.backoffFactor,
          capMs: registered.backoffCapMs,
        },
        notRetryable: registered.notRetryable,
      },
    },
    paused: false,
  };
}

export default defineEndpoint({
  method: 'get',
  path: '/types',
  id: 'listTypes',
  tag: 'Task types',
  summary: 'The task types that workers have published',
  answers: { 200: { description: 'The types', schema: z.strictObject({ items: z.array(typeShape) }) } },
  handle: (_request, { types }) => ({ status: 200, json: { items: types.all().map(typeAnswer) } }),
});
