/** What Linux tells about processes in /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process, told apart from a later one that was given the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process. */
  readonly startTime: number;
}

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly startTime: number;
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses, which may itself hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group] = fields;
  return { state, parent: Number(parent), group: Number(group), startTime: Number(fields[19]) };
}

/** The identity of a running process; undefined where there is none (a zombie is none). */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.state === 'Z' ? undefined : { pid, startTime: stat.startTime };
}

/** Whether this very process still runs. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return identify(pid)?.startTime === startTime;
}

/**
 * The memory of a process and all its descendants, in bytes, as proportional set size: pages that several of them share
 * (PostgreSQL's buffers) count once. Where that may not be read, the resident size of the process alone.
 */
export function memoryOf(pid: number): number | undefined {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const candidate = Number(entry);
    const parent = Number.isInteger(candidate) ? readStat(candidate)?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), candidate]);
  }
  let total = 0;
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    total += kilobytes(`/proc/${next}/smaps_rollup`, 'Pss') ?? kilobytes(`/proc/${next}/status`, 'VmRSS') ?? 0;
    pending.push(...(children.get(next) ?? []));
  }
  return total === 0 ? undefined : total * 1024;
}

/** The processes that work in a folder; of other users' only root sees them. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return Number.isInteger(pid) && readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false;
      }
    });
}

function kilobytes(file: string, field: string): number | undefined {
  try {
    const [, value] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'latin1')) ?? [];
    return value === undefined ? undefined : Number(value);
  } catch {
    return undefined;
  }
}

/** Differs from boot to boot, and so tells whether recorded identities can still mean anything. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
