import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from '@taskflow/workers/defineTask';
import { TaskError } from '@taskflow/workers/taskError';
import { z } from 'zod';

/** Does nothing, as told. For tests and benchmarks. */
export default defineTask({
  type: 'noop',
  version: 1,
  payload: z.looseObject({
    echo: z.unknown().optional().meta({ description: 'Becomes the result; null without' }),
    sleepMs: z.number().min(0).max(86_400_000).optional(),
    fail: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
      .optional()
      .meta({ description: 'Error code that attempts 1 to failTimes fail with (all if absent), retryable' }),
    failTimes: z.int().min(0).max(1_000_000).optional(),
  }),
  result: z.unknown(),
  inline: true,
  slots: 1_000,
  testOnly: true,
  run({ payload, attempt, signal }) {
    const { sleepMs, fail, failTimes = Number.POSITIVE_INFINITY } = payload;
    const outcome = () => {
      if (fail !== undefined && attempt <= failTimes) throw new TaskError(fail, `Attempt ${attempt} fails as asked`);
      return payload.echo ?? null;
    };
    return sleepMs === undefined ? outcome() : sleep(sleepMs, undefined, { signal }).then(outcome);
  },
});
