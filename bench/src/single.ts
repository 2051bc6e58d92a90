/** `single`: no-op tasks by `POST /tasks`, 64 in flight, until the read model shows the last one `success`. */
import { Pool as HttpPool } from 'undici';
import type { Benchmark } from './benchmark.ts';
import { submitSingles } from './load/singles.ts';
import { startUsageMeter } from './usageMeter.ts';
import { waitUntilVisible } from './visible.ts';

const IN_FLIGHT = 64;

export const single: Benchmark = {
  name: 'single',
  about: 'no-op tasks, one a request, 64 in flight, until the read model shows the last one success',
  sizes: [3_000, 30_000],
  async run({ system, database, size }) {
    const http = new HttpPool(system.apiUrl, { connections: IN_FLIGHT });
    const meter = startUsageMeter(await system.processes());
    const visibleBefore = await database.countSuccess('noop');
    const startedAt = performance.now();
    await submitSingles(http, system.key, size, IN_FLIGHT);
    const submittedAt = performance.now();
    await waitUntilVisible(database, 'noop', visibleBefore + size);
    const visibleAt = performance.now();
    await http.close();
    return [
      {
        title: `${size.toLocaleString('en-US')} single submissions`,
        rows: [
          {
            tasks: size,
            'submitted/s': Math.round((size * 1000) / (submittedAt - startedAt)),
            'visible/s': Math.round((size * 1000) / (visibleAt - startedAt)),
          },
        ],
      },
      { title: 'where the CPU went', rows: meter.rows(size) },
    ];
  },
};
