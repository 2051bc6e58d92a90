/**
 * `killedWorker`: `kill -9` of a worker: how soon what it ran starts elsewhere, for short tasks (locked in the queue) and for
 * long ones (handed over to a lease in the log).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSystem } from '@taskflow/embedded/system';
import type { Benchmark, BenchmarkContext, Table } from './benchmark.ts';
import { batchBodies, submissions, submitBatches } from './load/batches.ts';
import { percentiles } from './percentiles.ts';
import { readTaskRuns } from './taskRuns.ts';
import { waitUntilVisible } from './visible.ts';

const VICTIM = 'worker-1';

export const killedWorker: Benchmark = {
  name: 'killedWorker',
  about: 'kill -9 of a worker, until what it ran starts again',
  sizes: [200],
  async run(context) {
    return [
      await kill(context, { title: 'short tasks (2 s), locked', sleepMs: 2_000, killAfterMs: 700, before: 0 }),
      await kill(context, {
        title: 'long tasks (25 s), handed over',
        sleepMs: 25_000,
        killAfterMs: 14_000,
        before: context.size,
      }),
    ];
  },
};

interface Case {
  readonly title: string;
  readonly sleepMs: number;
  /** From the first start. */
  readonly killAfterMs: number;
  /** Tasks that were there already. */
  readonly before: number;
}

async function kill(
  { system, database, size }: BenchmarkContext,
  { title, sleepMs, killAfterMs, before }: Case,
): Promise<Table> {
  const tasks = submissions(size, () => ({ type: 'noop', payload: { sleepMs }, timeoutMs: 10 * sleepMs }));
  await submitBatches(system, batchBodies(tasks));
  await delay(killAfterMs);
  process.kill(await pidOf(system, VICTIM), 'SIGKILL');
  const killedAt = Date.now();
  await waitUntilVisible(database, 'noop', before + size, 120_000);

  const starts = Map.groupBy(await readTaskRuns(system.addresses, 'noop'), ({ taskId }) => taskId);
  const waits: number[] = [];
  let more = 0;
  for (const runs of starts.values()) {
    const again = runs[1];
    if (again && again.startedAt >= killedAt) waits.push(again.startedAt - killedAt);
    if (runs.length > 2) more++;
  }
  const row = { tasks: size, 'started again': waits.length, 'started thrice': more, ...percentiles(waits) };
  return { title: `${title}: kill → start elsewhere, milliseconds`, rows: [row] };
}

async function pidOf(system: RunningSystem, name: string): Promise<number> {
  const found = (await system.processes()).find((process) => process.name === name);
  if (!found) throw new Error(`there is no process ${name}`);
  return found.pid;
}
