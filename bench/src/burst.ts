/**
 * `burst`: many no-op tasks by `POST /tasks/batch`, from the first request until the read model shows the last one
 * `success`: with one worker process and with two, in TypeScript, in Go, and of a type whose results go to MongoDB.
 */
import type { Benchmark, Report } from './benchmark.ts';
import { burstLoad, type LoadFigures, loadColumns, runLoad } from './load/loadRun.ts';
import { scaled } from './options.ts';
import { withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { DOCUMENTS, GO, TYPESCRIPT, type WorkerKind } from './system/workerKinds.ts';
import type { Row } from './table.ts';
import type { MeteredProcess } from './usageMeter.ts';

const SIZES = [20_000, 200_000].map(scaled);

interface Measured {
  readonly system: 'cold' | 'warm';
  readonly workers: number;
  readonly figures: LoadFigures;
}

export const burst: Benchmark = {
  name: 'burst',
  about: 'no-op tasks in batches of 1,000 over HTTP until the read model shows the last one success',
  async run(report) {
    await withSystem(async (system) => {
      const measure = (type: string, size: number) => runLoad(system, burstLoad(system, type, size));
      await system.startWorkers(TYPESCRIPT, 2);
      const first = { workers: 2, figures: await measure(TYPESCRIPT.type, SIZES[0]!) };
      await warmUp(system, TYPESCRIPT.type);
      for (const kind of [TYPESCRIPT, GO, DOCUMENTS]) {
        const measured: Measured[] = kind === TYPESCRIPT ? [{ system: 'cold', ...first }] : [];
        for (const workers of [1, 2]) {
          await system.startWorkers(kind, workers);
          await warmUp(system, kind.type, workers === 1 ? 2 : 1);
          // The large one first: the small one is then over in a second of a system that has been at work for a while.
          const bursts: Measured[] = [];
          for (const size of SIZES.toReversed()) {
            bursts.push({ system: 'warm', workers, figures: await measure(kind.type, size) });
          }
          measured.push(...bursts.reverse());
        }
        show(report, kind, measured);
      }
    });
  },
};

function show(report: Report, { shown }: WorkerKind, measured: readonly Measured[]): void {
  report({
    title: `bursts, ${shown}; warmed by others that are not counted (cold: the first that a system has seen)`,
    rows: measured.map(({ system, workers, figures }) => ({ system, workers, ...loadColumns(figures) })),
  });
  report({
    title: `CPU of each process, microseconds a task, ${shown}`,
    rows: byProcess(measured, ({ cpuMicros }, tasks) => cpuMicros / tasks),
  });
  report({
    title: `most memory of each process, MB, ${shown}`,
    rows: byProcess(measured, ({ peakBytes }) => Math.round(peakBytes / 1_048_576)),
  });
}

/** A row a process, a column a burst. */
function byProcess(bursts: readonly Measured[], of: (process: MeteredProcess, tasks: number) => number): Row[] {
  const columns = bursts.map(({ system, workers, figures: { tasks, usage } }) => ({
    title: `${system === 'cold' ? 'cold, ' : ''}${workers} × ${tasks.toLocaleString('en-US')}`,
    values: new Map(usage.processes.map((process) => [process.name, of(process, tasks)])),
  }));
  const names = [...new Set(columns.flatMap(({ values }) => [...values.keys()]))];
  const row = (process: string, value: (values: ReadonlyMap<string, number>) => number): Row => ({
    process,
    ...Object.fromEntries(columns.map(({ title, values }) => [title, value(values)])),
  });
  return [
    ...names.map((name) => row(name, (values) => values.get(name) ?? 0)),
    row('all', (values) => [...values.values()].reduce((sum, value) => sum + value, 0)),
  ];
}
