/**
 * A worker process for tests: one type, named by TASKFLOW_TEST_TYPE, whose payloads say what to do. For the rest it is
 * the real worker. Started by `startWorkerProcess`.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '@taskflow/service/config';
import { z } from 'zod';
import { defineTask } from '../defineTask.ts';
import { runWorker } from '../runWorker.ts';
import { settings } from '../settings.ts';

const scripted = defineTask({
  type: process.env.TASKFLOW_TEST_TYPE ?? 'missing',
  version: 1,
  payload: z.strictObject({
    sleepMs: z.int().optional(),
    /** Runs until this file exists. */
    gate: z.string().optional(),
    /** Does not listen to its signal. */
    deaf: z.boolean().optional(),
    log: z.string().optional(),
  }),
  result: z.strictObject({ pid: z.int() }),
  async run({ payload, signal, log }) {
    if (payload.log !== undefined) log.info(payload.log);
    const options = payload.deaf ? {} : { signal };
    await sleep(payload.sleepMs ?? 0, undefined, options);
    while (payload.gate !== undefined && !existsSync(payload.gate)) await sleep(20, undefined, options);
    return { pid: process.pid };
  },
});

runWorker(loadConfig(settings), async () => [scripted]);
