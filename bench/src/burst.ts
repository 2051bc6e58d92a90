/**
 * `burst`: many no-op tasks submitted by `POST /tasks/batch`, from the first request until the read model shows the
 * last one `success`. Prints rates and what each process used for a task.
 */
import type { Benchmark } from './benchmark.ts';
import { batchBodies, submissions, submitBatches } from './load/batches.ts';
import { startUsageMeter } from './usageMeter.ts';
import { waitUntilVisible } from './visible.ts';

export const burst: Benchmark = {
  name: 'burst',
  about: 'no-op tasks in batches of 1,000 over HTTP until the read model shows the last one success',
  sizes: [20_000, 200_000],
  async run({ system, database, size }) {
    const bodies = batchBodies(submissions(size, () => ({ type: 'noop', payload: {} })));
    const meter = startUsageMeter(await system.processes());
    const visibleBefore = await database.countSuccess('noop');
    const startedAt = performance.now();
    await submitBatches(system, bodies);
    const submittedAt = performance.now();
    await waitUntilVisible(database, 'noop', visibleBefore + size);
    const visibleAt = performance.now();
    return [
      {
        title: `burst of ${size.toLocaleString('en-US')}`,
        rows: [
          {
            tasks: size,
            'submitted/s': Math.round((size * 1000) / (submittedAt - startedAt)),
            'visible/s': Math.round((size * 1000) / (visibleAt - startedAt)),
            seconds: (visibleAt - startedAt) / 1000,
          },
        ],
      },
      { title: 'where the CPU went', rows: meter.rows(size) },
    ];
  },
};
