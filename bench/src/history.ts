/**
 * `history`: whether rates and reading stay the same while a million finished tasks gather in the log and in the views, put there by
 * bursts as in `burst`; and how long a second projector takes to build the views from that log.
 */
import type { Benchmark } from './benchmark.ts';
import { readLatency } from './history/readLatency.ts';
import { rebuild } from './history/rebuild.ts';
import { burstLoad, loadColumns, runLoad } from './load/loadRun.ts';
import { HISTORY_TASKS, scaled } from './options.ts';
import { withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { TYPESCRIPT } from './system/workerKinds.ts';
import type { Row } from './table.ts';

const { type } = TYPESCRIPT;
const BURST = scaled(200_000);

export const history: Benchmark = {
  name: 'history',
  about: `rates and reading up to ${HISTORY_TASKS.toLocaleString('en-US')} finished tasks, and building the views of them`,
  async run(report) {
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2);
      await warmUp(system, type);
      const reading: Row[] = [];
      const read = async (): Promise<void> => {
        const tasks = await system.database.countSuccess(type);
        for (const row of await readLatency(system)) reading.push({ 'tasks in the view': tasks, ...row });
      };
      const rates: Row[] = [];
      await read();
      for (;;) {
        const before = await system.database.countSuccess(type);
        rates.push({
          'tasks before it': before,
          ...loadColumns(await runLoad(system, burstLoad(system, type, BURST))),
        });
        if (before >= HISTORY_TASKS) break;
      }
      report({ title: 'bursts one after the other, two workers, on a warm system', rows: rates });
      await read();
      report({ title: 'the api, one request at a time, milliseconds', rows: reading });
      await system.startWorkers(TYPESCRIPT, 0);
      report({ title: 'the views built anew, from the start of the process', rows: [await rebuild(system, type)] });
    });
  },
};
