import { readProcessTree } from './processTree.ts';
import { treeUsage } from './processUsage.ts';
import type { Row } from './table.ts';
import type { NamedProcess } from './usageMeter.ts';

/** A table of processes, with a column of megabytes for each time at which one looked. */
export interface MemoryTable {
  look(when: string): void;
  rows(): Row[];
}

export function memoryTable(processes: readonly NamedProcess[]): MemoryTable {
  const listed = new Set(processes.map(({ pid }) => pid));
  const columns: { readonly when: string; readonly megabytes: readonly number[] }[] = [];
  return {
    look(when) {
      const tree = readProcessTree();
      const megabytes = processes.map(({ pid }) =>
        Math.round((treeUsage(pid, tree, listed)?.residentBytes ?? 0) / 1_048_576),
      );
      columns.push({ when, megabytes });
    },
    rows: () =>
      processes.map(({ name }, index) => ({
        process: name,
        ...Object.fromEntries(columns.map(({ when, megabytes }) => [when, megabytes[index] ?? 0])),
      })),
  };
}
