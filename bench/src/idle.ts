/** `idle`: what a system as `make start` runs it takes while nobody asks anything of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark } from './benchmark.ts';
import { withSystem } from './system/benchSystem.ts';
import { startUsageMeter } from './usageMeter.ts';

/** After the start, so that its end is not measured. */
const REST_SECONDS = 10;
const SECONDS = 20;

export const idle: Benchmark = {
  name: 'idle',
  about: `CPU and memory of a system at rest, over ${SECONDS} s`,
  async run(report) {
    await withSystem(
      async (system) => {
        await delay(REST_SECONDS * 1_000);
        const processes = await system.processes();
        const meter = startUsageMeter(processes);
        await delay(SECONDS * 1_000);
        const { seconds, processes: used, elsewhereMicros } = meter.read();
        meter.stop();
        const row = (process: string, cpuMicros: number, bytes: number) => ({
          process,
          '% of a core': cpuMicros / seconds / 10_000,
          MB: Math.round(bytes / 1_048_576),
        });
        report({
          title: `at rest, ${SECONDS} s`,
          rows: [
            ...used.map(({ name, cpuMicros, residentBytes }) => row(name, cpuMicros, residentBytes)),
            row(
              'all',
              used.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0),
              used.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
            ),
            row('elsewhere', elsewhereMicros, 0),
          ],
        });
      },
      { workers: 2, goWorkers: 1 },
    );
  },
};
