import { PRIORITIES } from '@taskflow/schemas/topics';
import { z } from 'zod';
import { errorCodePattern } from './errorCodes.ts';

const dayMs = 86_400_000;

/** The options of a task, each with a value. A registered type (TaskTypeRegistered) gives its defaults in this shape. */
export interface TaskOptions {
  readonly priority: string;
  readonly maxAttempts: number;
  readonly backoffBaseMs: number;
  readonly backoffFactor: number;
  readonly backoffCapMs: number;
  readonly notRetryable: readonly string[];
  readonly timeoutMs: number;
}

/** What holds where neither the submission nor the type says otherwise. The same values are the defaults in the Avro schemas. */
export const platformDefaults: TaskOptions = {
  priority: 'normal',
  maxAttempts: 3,
  backoffBaseMs: 1_000,
  backoffFactor: 2,
  backoffCapMs: 300_000,
  notRetryable: [],
  timeoutMs: 30_000,
};

export const priorityShape = z.enum(PRIORITIES);

/** Time limit of one attempt: a millisecond to a day. */
export const timeoutMsShape = z.int().min(1).max(dayMs);

export const retryShape = z.strictObject({
  /** How many attempts may fail before the task does. */
  maxAttempts: z.int().min(1).max(100).optional(),
  /** The delay before attempt n + 1 is drawn from 0 to min(capMs, baseMs · factorⁿ⁻¹). */
  backoff: z
    .strictObject({
      baseMs: z.int().min(0).max(dayMs).optional(),
      factor: z.number().min(1).max(100).optional(),
      capMs: z.int().min(0).max(dayMs).optional(),
    })
    .optional(),
  /** Error codes after which no further attempt is made. */
  notRetryable: z
    .array(z.string().regex(errorCodePattern, 'must be an error code: upper case letters, digits and _'))
    .max(50)
    .optional(),
});

/** The options that a submission may name, or that a type declares as its defaults. */
export interface OptionChoices {
  readonly priority?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly retry?:
    | {
        readonly maxAttempts?: number | undefined;
        readonly backoff?:
          | {
              readonly baseMs?: number | undefined;
              readonly factor?: number | undefined;
              readonly capMs?: number | undefined;
            }
          | undefined;
        readonly notRetryable?: readonly string[] | undefined;
      }
    | undefined;
}

/** Each option as chosen, or else by default. */
export function resolveOptions(choices: OptionChoices, defaults: TaskOptions = platformDefaults): TaskOptions {
  const { retry } = choices;
  return {
    priority: choices.priority ?? defaults.priority,
    maxAttempts: retry?.maxAttempts ?? defaults.maxAttempts,
    backoffBaseMs: retry?.backoff?.baseMs ?? defaults.backoffBaseMs,
    backoffFactor: retry?.backoff?.factor ?? defaults.backoffFactor,
    backoffCapMs: retry?.backoff?.capMs ?? defaults.backoffCapMs,
    notRetryable: retry?.notRetryable ?? defaults.notRetryable,
    timeoutMs: choices.timeoutMs ?? defaults.timeoutMs,
  };
}
