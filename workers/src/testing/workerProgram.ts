/**
 * A worker process for tests: one type, named by TASKFLOW_TEST_TYPE, whose payloads say what to do. For the rest it is
 * the real worker. Started by `startWorkerProcess`. Where TASKFLOW_TEST_STARTS names a file, each start of the handler adds a
 * line to it: task, attempt, worker's process, time.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '@taskflow/service/config';
import { z } from 'zod';
import { defineTask } from '../defineTask.ts';
import { runWorker } from '../runWorker.ts';
import { settings } from '../settings.ts';
import { TaskError } from '../taskError.ts';

const starts = process.env.TASKFLOW_TEST_STARTS;

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
    /** Error code of the attempts up to this one. */
    failTimes: z.int().optional(),
    /** Takes its process with it. */
    poison: z.boolean().optional(),
  }),
  result: z.strictObject({ pid: z.int() }),
  takeover: process.env.TASKFLOW_TEST_TAKEOVER === 'after-lease' ? 'after-lease' : 'at-once',
  async run({ payload, signal, log, taskId, attempt }) {
    if (starts !== undefined) appendFileSync(starts, `${taskId} ${attempt} ${process.pid} ${Date.now()}\n`);
    if (payload.log !== undefined) log.info(payload.log);
    const options = payload.deaf ? {} : { signal };
    await sleep(payload.sleepMs ?? 0, undefined, options);
    if (payload.poison) process.kill(process.pid, 'SIGKILL');
    while (payload.gate !== undefined && !existsSync(payload.gate)) await sleep(20, undefined, options);
    if (attempt <= (payload.failTimes ?? 0)) throw new TaskError('AS_ASKED', `Attempt ${attempt} fails`);
    return { pid: process.pid };
  },
});

runWorker(loadConfig(settings), async () => [scripted]);
