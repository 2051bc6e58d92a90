import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, type TaskContext } from '@taskflow/workers/defineTask';
import { TaskError } from '@taskflow/workers/taskError';
import { z } from 'zod';

const payload = z.looseObject({
  echo: z.unknown().optional().meta({ description: 'Becomes the result; null without' }),
  sleepMs: z.number().min(0).max(86_400_000).optional(),
  fail: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .optional()
    .meta({ description: 'Error code that attempts 1 to failTimes fail with (all if absent), retryable' }),
  failTimes: z.int().min(0).max(1_000_000).optional(),
});
type Payload = z.output<typeof payload>;

/** Does nothing, as told. For tests and benchmarks. */
export default defineTask({
  type: 'noop',
  version: 1,
  payload,
  result: z.unknown(),
  inline: true,
  slots: 1_000,
  testOnly: true,
  run(context) {
    const { sleepMs } = context.payload;
    // The signal is made when it is asked for: not for a task that waits for nothing.
    return sleepMs === undefined
      ? outcome(context)
      : sleep(sleepMs, undefined, { signal: context.signal }).then(() => outcome(context));
  },
});

function outcome({ payload, attempt }: Pick<TaskContext<Payload>, 'payload' | 'attempt'>): unknown {
  const { echo, fail, failTimes = Number.POSITIVE_INFINITY } = payload;
  if (fail !== undefined && attempt <= failTimes) throw new TaskError(fail, `Attempt ${attempt} fails as asked`);
  return echo ?? null;
}
