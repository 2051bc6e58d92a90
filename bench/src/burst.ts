/**
 * `burst`: many no-op tasks submitted by `POST /tasks/batch`, from the first request until the read model shows the
 * last one `success`. Prints rates and what each process used for a task.
 */
import { Pool as HttpPool } from 'undici';
import type { Benchmark } from './benchmark.ts';
import { batchBodies, submitBatches } from './load/batches.ts';
import { startUsageMeter } from './usageMeter.ts';
import { waitUntilVisible } from './visible.ts';

const TASKS_A_BATCH = 1000;
const BATCHES_IN_FLIGHT = 4;

export const burst: Benchmark = {
  name: 'burst',
  about: 'no-op tasks in batches of 1,000 over HTTP until the read model shows the last one success',
  sizes: [20_000, 200_000],
  async run({ system, database, size }) {
    const http = new HttpPool(system.apiUrl, { connections: BATCHES_IN_FLIGHT });
    const bodies = batchBodies('noop', size, TASKS_A_BATCH);
    const meter = startUsageMeter(await system.processes());
    const visibleBefore = await database.countSuccess('noop');
    const startedAt = performance.now();
    await submitBatches(http, system.key, bodies, BATCHES_IN_FLIGHT);
    const submittedAt = performance.now();
    await waitUntilVisible(database, 'noop', visibleBefore + size);
    const visibleAt = performance.now();
    await http.close();
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
