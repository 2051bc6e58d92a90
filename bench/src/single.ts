/** `single`: no-op tasks by `POST /tasks`, 64 in flight, until the read model shows the last one `success`. */
import { Pool as HttpPool } from 'undici';
import type { Benchmark } from './benchmark.ts';
import { type Load, type LoadFigures, loadColumns, runLoad } from './load/loadRun.ts';
import { submitSingles } from './load/singles.ts';
import { scaled } from './options.ts';
import { withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { TYPESCRIPT } from './system/workerKinds.ts';
import { usageRows } from './usageMeter.ts';

const IN_FLIGHT = 64;
const SIZES = [3_000, 30_000].map(scaled);

export const single: Benchmark = {
  name: 'single',
  about: `no-op tasks, one a request, ${IN_FLIGHT} in flight, until the read model shows the last one success`,
  async run(report) {
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2);
      const http = new HttpPool(system.apiUrl, { connections: IN_FLIGHT });
      const load = (tasks: number): Load => ({
        type: TYPESCRIPT.type,
        tasks,
        submit: () => submitSingles(http, system.key, tasks, IN_FLIGHT),
      });
      try {
        await warmUp(system, TYPESCRIPT.type);
        await runLoad(system, load(scaled(5_000)));
        const measured: LoadFigures[] = [];
        for (const size of SIZES) measured.push(await runLoad(system, load(size)));
        report({ title: 'single submissions to two workers, warmed by others', rows: measured.map(loadColumns) });
        for (const { usage, tasks } of measured) {
          report({
            title: `what each process used, ${tasks.toLocaleString('en-US')} tasks`,
            rows: usageRows(usage, tasks),
          });
        }
      } finally {
        await http.close();
      }
    });
  },
};
