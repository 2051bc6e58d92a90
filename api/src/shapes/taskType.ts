import { priorityShape } from '@taskflow/core/options';
import { z } from 'zod';
import type { KnownType } from '../types.ts';

const jsonSchema = z.looseObject({});

export const typeShape = z
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
    paused: z.boolean().describe('Whether its tasks are taken in, but not started'),
  })
  .meta({ id: 'TaskType', description: 'A kind of task' });

export function typeAnswer({ registered }: KnownType, paused: boolean) {
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
    paused,
  };
}
