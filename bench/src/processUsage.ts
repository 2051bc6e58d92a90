import { readFileSync, writeFileSync } from 'node:fs';

/** What a process and its children use: CPU in microseconds since its start, memory in bytes. */
export interface ProcessUsage {
  readonly cpuMicros: number;
  /** What they keep in memory now; what they share counts once. */
  readonly residentBytes: number;
  /** The most that the process itself has kept since its peak was last forgotten; undefined where it has children. */
  readonly peakBytes: number | undefined;
}

/** Linux's USER_HZ: the unit of CPU times in /proc, 100 a second on every platform that Node.js supports. */
const TICKS_PER_SECOND = 100;

/** The children of each process. */
export type ProcessTree = ReadonlyMap<number, readonly number[]>;

/**
 * Reads a process's usage from /proc, its children's included (PostgreSQL works in one process a connection, so a
 * server's cost is its whole tree's) but for those in `apart`: who started the others does not answer for them. Gives undefined when
 * the process is gone.
 */
export function treeUsage(pid: number, tree: ProcessTree, apart: ReadonlySet<number>): ProcessUsage | undefined {
  const all = treeOf(pid, tree, apart).flatMap((each) => processUsage(each) ?? []);
  const [own, ...children] = all;
  if (own === undefined) return undefined;
  const sum = (of: (usage: OneProcess) => number): number => all.reduce((total, usage) => total + of(usage), 0);
  const most = (of: (usage: OneProcess) => number): number => Math.max(...all.map(of));
  return {
    cpuMicros: sum(({ cpuMicros }) => cpuMicros),
    // The program's text and the shared buffers of PostgreSQL lie in memory once, however many processes map them.
    residentBytes:
      sum(({ ownBytes }) => ownBytes) + most(({ fileBytes }) => fileBytes) + most((each) => each.sharedBytes),
    peakBytes: children.length === 0 ? own.peakBytes : undefined,
  };
}

/** Begins a new peak of a process, where this user may. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Then its peak is that since its start.
  }
}

/** CPU time of the whole machine that was not idle, in microseconds since it was started. */
export function machineBusyMicros(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  // user, nice, system, then idle and waiting, then irq, softirq: proc_stat(5).
  return [0, 1, 2, 5, 6].reduce((sum, index) => sum + (fields[index] ?? 0), 0) * (1_000_000 / TICKS_PER_SECOND);
}

function treeOf(pid: number, tree: ProcessTree, apart: ReadonlySet<number>): number[] {
  const children = (tree.get(pid) ?? []).filter((child) => !apart.has(child));
  return [pid, ...children.flatMap((child) => treeOf(child, tree, apart))];
}

interface OneProcess {
  readonly cpuMicros: number;
  readonly ownBytes: number;
  readonly fileBytes: number;
  readonly sharedBytes: number;
  readonly peakBytes: number;
}

function processUsage(pid: number): OneProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name stands in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Own time, and that of children that have ended and were waited for: fields 14 to 17 of proc(5).
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024;
    return {
      cpuMicros: (ticks / TICKS_PER_SECOND) * 1_000_000,
      ownBytes: bytes('RssAnon'),
      fileBytes: bytes('RssFile'),
      sharedBytes: bytes('RssShmem'),
      peakBytes: bytes('VmHWM'),
    };
  } catch {
    return undefined;
  }
}
