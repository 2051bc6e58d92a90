/** `longRun`: many short tasks of a type, without and with a long one among them: does it hold anything back? */
import type { Benchmark, BenchmarkContext } from './benchmark.ts';
import { batchBodies, submissions, submitBatches } from './load/batches.ts';
import { readTaskRuns } from './taskRuns.ts';
import { waitUntilVisible } from './visible.ts';

const LONG_MS = 60_000;

export const longRun: Benchmark = {
  name: 'longRun',
  about: `no-op tasks without and with one of ${LONG_MS / 1_000} s among them`,
  sizes: [100_000],
  async run({ system, database, size }) {
    const alone = await secondsOf({ system, database, size }, 0);
    const long = { type: 'noop', payload: { sleepMs: LONG_MS, echo: 'long' }, timeoutMs: 10 * LONG_MS };
    await submitBatches(system, batchBodies([long]));
    const beside = await secondsOf({ system, database, size }, size);
    const stillRuns = (await database.countSuccess('noop')) === 2 * size;
    await waitUntilVisible(database, 'noop', 2 * size + 1, LONG_MS + 30_000);
    const runs = await readTaskRuns(system.addresses, 'noop');
    const { taskId } = runs.reduce((a, b) => (lengthOf(a) > lengthOf(b) ? a : b));
    return [
      {
        title: `${size.toLocaleString('en-US')} short tasks`,
        rows: [
          { beside: 'nothing', seconds: alone, 'tasks/s': Math.round(size / alone) },
          {
            beside: stillRuns ? 'a long run' : 'a run that ended first',
            seconds: beside,
            'tasks/s': Math.round(size / beside),
          },
        ],
      },
      {
        title: 'the long run',
        rows: [{ starts: runs.filter((run) => run.taskId === taskId).length, 'all starts': runs.length }],
      },
    ];
  },
};

async function secondsOf({ system, database, size }: BenchmarkContext, visible: number): Promise<number> {
  const bodies = batchBodies(submissions(size, () => ({ type: 'noop', payload: {} })));
  const begun = performance.now();
  await submitBatches(system, bodies);
  await waitUntilVisible(database, 'noop', visible + size);
  return (performance.now() - begun) / 1_000;
}

function lengthOf({ startedAt, endedAt }: { startedAt: number; endedAt: number | undefined }): number {
  return (endedAt ?? startedAt) - startedAt;
}
