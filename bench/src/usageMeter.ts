import { readProcessTree } from './processTree.ts';
import { type ProcessUsage, treeUsage } from './processUsage.ts';
import type { Row } from './table.ts';

/** A process of the system under measurement. */
export interface NamedProcess {
  readonly name: string;
  readonly pid: number;
}

/** Measures what each process used between its making and `rows`. */
export interface UsageMeter {
  /** One row a process: CPU in microseconds for each of `tasks`, and the highest resident memory so far in MB. */
  rows(tasks: number): Row[];
}

/** Starts measuring the CPU of `processes` (their children included) from now on. */
export function startUsageMeter(processes: readonly NamedProcess[]): UsageMeter {
  const before = new Map<number, ProcessUsage>();
  const tree = readProcessTree();
  for (const { pid } of processes) {
    const usage = treeUsage(pid, tree);
    if (usage !== undefined) before.set(pid, usage);
  }
  return {
    rows(tasks) {
      const now = readProcessTree();
      let total = 0;
      const rows: Row[] = [];
      for (const { name, pid } of processes) {
        const start = before.get(pid);
        const end = treeUsage(pid, now);
        if (start === undefined || end === undefined) continue;
        const micros = end.cpuMicros - start.cpuMicros;
        total += micros;
        rows.push({
          process: name,
          'CPU µs/task': micros / tasks,
          'peak MB': Math.round(end.peakResidentBytes / 1_048_576),
        });
      }
      rows.push({
        process: 'all',
        'CPU µs/task': total / tasks,
        'peak MB': rows.reduce((sum, row) => sum + Number(row['peak MB']), 0),
      });
      return rows;
    },
  };
}
