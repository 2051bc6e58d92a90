import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bootId, identify, isAlive, type ProcessIdentity } from '../process/procfs.ts';
import type { SystemSettings } from './settings.ts';

/** A process of the system, as `make stop` and the next start need to know it. */
export interface RecordedProcess extends ProcessIdentity {
  readonly name: string;
  readonly port: number;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
}

/** `run.json` in the state folder: who runs the system, and which processes it has started. */
export interface RunRecord {
  /** Identities of another boot mean nothing. */
  readonly bootId: string;
  readonly starter: ProcessIdentity;
  readonly settings: SystemSettings;
  /** In the order of their first start. */
  readonly processes: readonly RecordedProcess[];
}

const fileOf = (stateDir: string): string => path.join(stateDir, 'run.json');

/**
 * The record of the last start; undefined where there was none since the machine booted. It is replaced as a whole, so only
 * a machine that lost its power leaves one that is no JSON, and then no process of it runs any more.
 */
export function readRunRecord(stateDir: string): RunRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(fileOf(stateDir), 'utf8')) as RunRecord;
    return record.bootId === bootId() ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The recorded processes that still run. */
export function livingProcesses(record: RunRecord): RecordedProcess[] {
  return record.processes.filter(isAlive);
}

export interface RunRecorder {
  /** Replaces what was recorded under the same name. */
  add(process: RecordedProcess): void;
}

/** Begins the record of this process's run. Each change is on disk when the call returns. */
export function beginRunRecord(settings: SystemSettings): RunRecorder {
  const processes = new Map<string, RecordedProcess>();
  const write = (): void => {
    const file = fileOf(settings.stateDir);
    const record: RunRecord = {
      bootId: bootId(),
      starter: identify(process.pid)!,
      settings,
      processes: [...processes.values()],
    };
    // It holds the database's password. Renamed into place, so that a reader never sees half of it.
    writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  write();
  return {
    add(process) {
      processes.set(process.name, process);
      write();
    },
  };
}
