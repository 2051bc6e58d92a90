/**
 * `priorities`: a task of high priority each 100 ms while 60,000 of low priority wait, from its submission to its start;
 * and how slots are shared when tasks of all priorities wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PRIORITIES } from '@taskflow/schemas/priorities';
import type { Benchmark } from './benchmark.ts';
import { batchBodies, submissions, submitBatches } from './load/batches.ts';
import { markLog } from './log/ends.ts';
import { readTaskRuns } from './log/taskRuns.ts';
import { scaled } from './options.ts';
import { percentiles } from './percentiles.ts';
import { callApi } from './system/api.ts';
import { type BenchSystem, withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { TYPESCRIPT } from './system/workerKinds.ts';
import { waitUntilVisible } from './visible.ts';

const INTERVAL_MS = 100;
const SLOTS = 64;
const SLEEP_MS = 25;
const LOW = scaled(60_000);
const MIXED = scaled(20_000);
const { type } = TYPESCRIPT;

export const priorities: Benchmark = {
  name: 'priorities',
  about: `high tasks above a backlog of low ones of ${SLEEP_MS} ms each, two workers with ${SLOTS} slots`,
  async run(report) {
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2, { TASKFLOW_SLOTS: `${type}=${SLOTS}` });
      await warmUp(system, type);
      const waits = await highAboveLow(system);
      report({
        title: `submission → start of ${waits.length} high tasks, ${LOW.toLocaleString('en-US')} low ones waiting, milliseconds`,
        rows: [{ priority: 'high', ...percentiles(waits) }],
      });
      report({ title: 'shares while tasks of all priorities wait', rows: await shares(system) });
    });
  },
};

const waiting = (priority: string) => ({ type, payload: { sleepMs: SLEEP_MS }, priority });

/** How long high tasks waited for their start, in milliseconds. */
async function highAboveLow(system: BenchSystem): Promise<number[]> {
  const { database } = system;
  const before = await database.countSuccess(type);
  const mark = await markLog(system, type);
  await submitBatches(system, batchBodies(submissions(LOW, () => waiting('low'))));
  const submittedAt = new Map<string, number>();
  while ((await database.countSuccess(type)) < before + 0.9 * LOW) {
    const at = Date.now();
    const body = { type, payload: {}, priority: 'high' };
    const { id } = await callApi<{ id: string }>(system, 'POST', '/tasks', { body, expected: 201 });
    submittedAt.set(id, at);
    await delay(INTERVAL_MS);
  }
  await waitUntilVisible(database, type, before + LOW + submittedAt.size);
  return (await readTaskRuns(system, type, mark)).flatMap(({ taskId, startedAt }) => {
    const submitted = submittedAt.get(taskId);
    return submitted === undefined ? [] : [startedAt - submitted];
  });
}

/** Starts of each priority while all of them wait: until most of the high ones have started. */
async function shares(system: BenchSystem) {
  const before = await system.database.countSuccess(type);
  const mark = await markLog(system, type);
  const mixed = submissions(MIXED, (index) => waiting(PRIORITIES[index % PRIORITIES.length]!));
  await submitBatches(system, batchBodies(mixed));
  await waitUntilVisible(system.database, type, before + MIXED);
  const runs = await readTaskRuns(system, type, mark);
  const high = runs.filter(({ priority }) => priority === 'high');
  const until = high[Math.floor(0.9 * high.length)]?.startedAt ?? Number.NaN;
  const contested = runs.filter(({ startedAt }) => startedAt <= until);
  return PRIORITIES.map((priority) => {
    const starts = contested.filter((run) => run.priority === priority).length;
    return { priority, starts, '%': (100 * starts) / contested.length };
  });
}
