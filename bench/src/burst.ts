/**
 * `burst`: many no-op tasks by `POST /tasks/batch`, from the first request until the read model shows the last one
 * `success`: with one worker process and with two, in TypeScript, in Go, and of a type whose results go to MongoDB.
 */
import type { Benchmark, Report } from './benchmark.ts';
import { burstLoad, type LoadFigures, loadColumns, runLoad } from './load/loadRun.ts';
import { scaled } from './options.ts';
import { type BenchSystem, withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { DOCUMENTS, GO, TYPESCRIPT, type WorkerKind } from './system/workerKinds.ts';
import type { Row } from './table.ts';
import type { MeteredProcess } from './usageMeter.ts';

const SIZES = [20_000, 200_000].map(scaled);

interface Measured {
  readonly system: 'cold' | 'warm';
  readonly kind: WorkerKind;
  readonly workers: number;
  readonly figures: LoadFigures;
}

export const burst: Benchmark = {
  name: 'burst',
  about: 'no-op tasks in batches of 1,000 over HTTP until the read model shows the last one success',
  async run(report) {
    const measured: Measured[] = [];
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2);
      measured.push(await measure(system, 'cold', TYPESCRIPT, 2, SIZES[0]!));
      await warmUp(system, TYPESCRIPT.type);
      for (const kind of [TYPESCRIPT, GO, DOCUMENTS]) {
        for (const workers of [1, 2]) {
          await system.startWorkers(kind, workers);
          await warmUp(system, kind.type, 1);
          for (const size of SIZES) measured.push(await measure(system, 'warm', kind, workers, size));
        }
      }
    });
    show(report, measured);
  },
};

async function measure(
  system: BenchSystem,
  state: Measured['system'],
  kind: WorkerKind,
  workers: number,
  size: number,
): Promise<Measured> {
  return { system: state, kind, workers, figures: await runLoad(system, burstLoad(system, kind.type, size)) };
}

function show(report: Report, measured: readonly Measured[]): void {
  report({
    title: 'bursts, warmed by others that are not counted; the cold one is the first that its system has seen',
    rows: measured.map(({ system, kind, workers, figures }) => ({
      system,
      'worker program': kind.shown,
      workers,
      ...loadColumns(figures),
    })),
  });
  for (const size of SIZES) {
    const columns = measured.filter(({ system, figures }) => system === 'warm' && figures.tasks === size);
    const shown = size.toLocaleString('en-US');
    report({
      title: `CPU of each process, microseconds a task, ${shown} tasks`,
      rows: byProcess(columns, ({ cpuMicros }) => cpuMicros / size),
    });
    report({
      title: `most memory of each process, MB, ${shown} tasks`,
      rows: byProcess(columns, ({ peakBytes }) => Math.round(peakBytes / 1_048_576)),
    });
  }
}

/** A row a process, a column a burst. */
function byProcess(bursts: readonly Measured[], of: (process: MeteredProcess) => number): Row[] {
  const names = new Set(bursts.flatMap(({ figures }) => figures.usage.processes.map(({ name }) => name)));
  const sorted = [...names].sort((a, b) => Number(a.startsWith('worker')) - Number(b.startsWith('worker')));
  const columns = bursts.map(({ kind, workers, figures }) => ({
    title: `${kind.shown} ×${workers}`,
    values: new Map(figures.usage.processes.map((process) => [process.name, of(process)])),
  }));
  const row = (process: string, value: (values: ReadonlyMap<string, number>) => number): Row => ({
    process,
    ...Object.fromEntries(columns.map(({ title, values }) => [title, value(values)])),
  });
  return [
    ...sorted.map((name) => row(name, (values) => values.get(name) ?? 0)),
    row('all', (values) => [...values.values()].reduce((sum, value) => sum + value, 0)),
  ];
}
