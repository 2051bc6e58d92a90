import { errorCodePattern } from '@taskflow/core/errorCodes';
import { typeNamePattern } from '@taskflow/schemas/topics';
import { z } from 'zod';

/** Values that several shapes share. */
export const uuid = z.uuid('must be a UUID').transform((id) => id.toLowerCase());
export const taskId = uuid.describe('The id of the task, a UUID');
export const time = z.iso.datetime({ offset: true, error: 'must be a time as RFC 3339 writes it' });
export const typeName = z
  .string()
  .regex(typeNamePattern, 'must be the name of a task type: lower case letters, digits and _')
  .describe('The name of a task type');
export const statuses = ['scheduled', 'queued', 'running', 'retrying', 'success', 'failed', 'cancelled'] as const;
export const status = z.enum(statuses);
export const MAX_TAG_LENGTH = 100;
/** PostgreSQL takes no NUL and UTF-8 no lone surrogate, so a tag with one could be appended but never shown. */
export const tag = z
  .string()
  .min(1)
  .max(MAX_TAG_LENGTH)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must not hold control characters or lone surrogates');

export const errorCode = z
  .string()
  .regex(errorCodePattern, 'must be an error code: upper case letters, digits and _')
  .describe('The code of the error that the task shows');

const isObject = (value: unknown) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Any JSON object. It is not copied, so a key such as `__proto__` stays what the caller sent. */
export const anyObject = z
  .unknown()
  .refine(isObject, 'must be an object')
  .transform((value) => value as Record<string, unknown>)
  .meta({ type: 'object' });

/** An integer in a query, where everything is text. */
export function integerText(minimum: number, maximum: number, description: string) {
  return z
    .string()
    .regex(/^\d{1,9}$/, `must be an integer from ${minimum} to ${maximum}`)
    .transform(Number)
    .pipe(z.number().min(minimum, `must be at least ${minimum}`).max(maximum, `must be at most ${maximum}`))
    .meta({ type: 'integer', minimum, maximum, description });
}
