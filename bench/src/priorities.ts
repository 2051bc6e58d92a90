/**
 * `priorities`: a task of high priority each 100 ms while 100,000 of low priority wait, from its submission to its start;
 * and how slots are shared when tasks of all priorities wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSystem } from '@taskflow/embedded/system';
import { PRIORITIES } from '@taskflow/schemas/priorities';
import { request } from 'undici';
import type { Benchmark } from './benchmark.ts';
import { batchBodies, submissions, submitBatches } from './load/batches.ts';
import { percentiles } from './percentiles.ts';
import { readTaskRuns } from './taskRuns.ts';
import { waitUntilVisible } from './visible.ts';

const INTERVAL_MS = 100;
const SLOTS = 64;
const SLEEP_MS = 25;

export const priorities: Benchmark = {
  name: 'priorities',
  about: `high tasks above a backlog of low ones of ${SLEEP_MS} ms each, two workers with ${SLOTS} slots`,
  sizes: [100_000],
  system: { environment: { TASKFLOW_SLOTS: `noop=${SLOTS}` } },
  async run({ system, database, size }) {
    const waiting = (priority: string) => ({ type: 'noop', payload: { sleepMs: SLEEP_MS }, priority });
    await submitBatches(system, batchBodies(submissions(size, () => waiting('low'))));
    const submittedAt = new Map<string, number>();
    while ((await database.countSuccess('noop')) < 0.9 * size) {
      const now = performance.timeOrigin + performance.now();
      submittedAt.set(await submitHigh(system), now);
      await delay(INTERVAL_MS);
    }
    let expected = size + submittedAt.size;
    await waitUntilVisible(database, 'noop', expected);
    const waits: number[] = [];
    for (const { taskId, startedAt } of await readTaskRuns(system.addresses, 'noop')) {
      const submitted = submittedAt.get(taskId);
      if (submitted !== undefined) waits.push(Math.max(0, startedAt - submitted));
    }

    const mixedFrom = Date.now();
    const mixed = submissions(size / 5, (index) => waiting(PRIORITIES[index % PRIORITIES.length]!));
    await submitBatches(system, batchBodies(mixed));
    expected += mixed.length;
    await waitUntilVisible(database, 'noop', expected);
    const shared = (await readTaskRuns(system.addresses, 'noop')).filter(({ startedAt }) => startedAt >= mixedFrom);
    // While all priorities wait: until most of the high ones have started.
    const high = shared.filter(({ priority }) => priority === 'high');
    const until = high[Math.floor(0.9 * high.length)]?.startedAt ?? Number.NaN;
    const contested = shared.filter(({ startedAt }) => startedAt <= until);
    return [
      {
        title: `submission → start of ${waits.length} high tasks, ${size.toLocaleString('en-US')} low ones waiting, milliseconds`,
        rows: [{ priority: 'high', ...percentiles(waits) }],
      },
      {
        title: 'shares while tasks of all priorities wait',
        rows: PRIORITIES.map((priority) => {
          const starts = contested.filter((run) => run.priority === priority).length;
          return { priority, starts, '%': (100 * starts) / contested.length };
        }),
      },
    ];
  },
};

async function submitHigh({ apiUrl, key }: RunningSystem): Promise<string> {
  const { statusCode, body } = await request(`${apiUrl}/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'noop', payload: {}, priority: 'high' }),
  });
  const task = (await body.json()) as { readonly id: string };
  if (statusCode !== 201) throw new Error(`POST /tasks answered ${statusCode}: ${JSON.stringify(task)}`);
  return task.id;
}
