import { readFileSync } from 'node:fs';

/** What a process has used: CPU in microseconds since its start, resident memory now and at its highest, in bytes. */
export interface ProcessUsage {
  readonly cpuMicros: number;
  readonly residentBytes: number;
  readonly peakResidentBytes: number;
}

/** Linux's USER_HZ: the unit of CPU times in /proc, 100 a second on every platform that Node.js supports. */
const TICKS_PER_SECOND = 100;

/**
 * Reads a process's usage from /proc, its children's included (PostgreSQL works in one process a connection, so a
 * server's cost is its whole tree's). Gives undefined when the process is gone.
 */
export function treeUsage(pid: number, childrenOf: ReadonlyMap<number, readonly number[]>): ProcessUsage | undefined {
  const own = processUsage(pid);
  if (own === undefined) return undefined;
  let { cpuMicros, residentBytes, peakResidentBytes } = own;
  for (const child of childrenOf.get(pid) ?? []) {
    const usage = treeUsage(child, childrenOf);
    if (usage === undefined) continue;
    cpuMicros += usage.cpuMicros;
    residentBytes += usage.residentBytes;
    peakResidentBytes += usage.peakResidentBytes;
  }
  return { cpuMicros, residentBytes, peakResidentBytes };
}

function processUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name stands in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Own time, and that of children that have ended and were waited for: fields 14 to 17 of proc(5).
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return {
      cpuMicros: (ticks / TICKS_PER_SECOND) * 1_000_000,
      residentBytes: kilobytes('VmRSS') * 1024,
      peakResidentBytes: kilobytes('VmHWM') * 1024,
    };
  } catch {
    return undefined;
  }
}
