import { readProcessTree } from './processTree.ts';
import { forgetPeak, machineBusyMicros, type ProcessUsage, treeUsage } from './processUsage.ts';
import type { Row } from './table.ts';

/** A process of the system under measurement. */
export interface NamedProcess {
  readonly name: string;
  readonly pid: number;
}

/** What a process has used since a meter was started. */
export interface MeteredProcess {
  readonly name: string;
  readonly cpuMicros: number;
  readonly residentBytes: number;
  readonly peakBytes: number;
}

export interface Usage {
  readonly seconds: number;
  readonly processes: readonly MeteredProcess[];
  /** CPU of everything else on the machine: where it is more than a little, rates of this run say nothing. */
  readonly elsewhereMicros: number;
}

/** Measures what each process used between its making and `read`. */
export interface UsageMeter {
  read(): Usage;
  /** Ends its sampling of memory. */
  stop(): void;
}

/** Peaks of trees of processes are only seen by looking. */
const SAMPLE_MS = 1_000;

/** Starts measuring the CPU and memory of `processes` (those children included that are not listed themselves) from now on. */
export function startUsageMeter(processes: readonly NamedProcess[]): UsageMeter {
  const startedAt = performance.now();
  const machineBefore = machineBusyMicros();
  const before = new Map<number, ProcessUsage>();
  const peaks = new Map<number, number>();
  const listed = new Set(processes.map(({ pid }) => pid));
  for (const { pid } of processes) forgetPeak(pid);
  const look = (): Map<number, ProcessUsage> => {
    const tree = readProcessTree();
    const usages = new Map<number, ProcessUsage>();
    for (const { pid } of processes) {
      const usage = treeUsage(pid, tree, listed);
      if (usage === undefined) continue;
      usages.set(pid, usage);
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, usage.peakBytes ?? usage.residentBytes));
    }
    return usages;
  };
  for (const [pid, usage] of look()) before.set(pid, usage);
  const sampling = setInterval(look, SAMPLE_MS).unref();
  const read = (): Usage => {
    const now = look();
    const measured = processes.flatMap(({ name, pid }): MeteredProcess[] => {
      const start = before.get(pid);
      const end = now.get(pid);
      if (start === undefined || end === undefined) return [];
      const { cpuMicros, residentBytes } = end;
      return [{ name, cpuMicros: cpuMicros - start.cpuMicros, residentBytes, peakBytes: peaks.get(pid) ?? 0 }];
    });
    const own = measured.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0);
    return {
      seconds: (performance.now() - startedAt) / 1_000,
      processes: measured,
      elsewhereMicros: Math.max(0, machineBusyMicros() - machineBefore - own),
    };
  };
  return { read, stop: () => clearInterval(sampling) };
}

/** A table of what each process used: for each of `tasks`, and in shares of one core. */
export function usageRows({ seconds, processes, elsewhereMicros }: Usage, tasks: number): Row[] {
  const row = (process: string, cpuMicros: number, bytes: number): Row => ({
    process,
    'CPU µs/task': cpuMicros / tasks,
    '% of a core': cpuMicros / seconds / 10_000,
    'peak MB': Math.round(bytes / 1_048_576),
  });
  const sum = (of: (process: MeteredProcess) => number): number =>
    processes.reduce((total, each) => total + of(each), 0);
  return [
    ...processes.map(({ name, cpuMicros, peakBytes }) => row(name, cpuMicros, peakBytes)),
    row(
      'all',
      sum(({ cpuMicros }) => cpuMicros),
      sum(({ peakBytes }) => peakBytes),
    ),
    row('elsewhere', elsewhereMicros, 0),
  ];
}
