import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { guardGroup } from '../process/guard.ts';
import { letThrough, type TemporaryState, temporaryState } from '../process/temporaryState.ts';
import type { Part } from './parts.ts';
import { checkPorts, runSystem, type System } from './runSystem.ts';
import { type SystemSettings, settingsAt } from './settings.ts';

export interface BesideOptions {
  /** All ports are counted from it. */
  readonly basePort: number;
  /** What moves the base port, as the error about a taken port shall name it. */
  readonly movedBy: string;
  /** Kept in the end. Without it the state is temporary, and the logs stay in `.taskflow/test/<basePort>/`. */
  readonly stateDir?: string | undefined;
  readonly workers: number;
  readonly goWorkers?: number | undefined;
}

export interface Beside {
  readonly settings: SystemSettings;
  readonly processes: System['processes'];
  /** Ends everything, and removes what is temporary. */
  stop(): Promise<void>;
}

/**
 * Starts parts beside other systems on this machine, for tests and benchmarks; resolves when all are ready. They end with
 * this process, however that ends.
 */
export async function runBeside(
  { basePort, movedBy, stateDir, workers, goWorkers }: BesideOptions,
  partsOf: (settings: SystemSettings) => Part[] | Promise<Part[]>,
): Promise<Beside> {
  const state = stateDir === undefined ? await temporaryState() : await lastingState(stateDir);
  const logs = stateDir === undefined ? { logDir: testLogFolder(basePort) } : {};
  const settings = settingsAt({ basePort, stateDir: state.folder, workers, goWorkers, ...logs });
  let system: System | undefined;
  const stop = async (): Promise<void> => {
    await system?.stop();
    await state.remove();
  };
  try {
    await checkPorts(settings, movedBy);
    if (stateDir === undefined) await rm(settings.logDir, { recursive: true, force: true });
    system = runSystem(settings, await partsOf(settings), {
      ready() {},
      ended() {},
      spawned: (identity, program) => guardGroup(identity, program?.crashSignal),
    });
    await system.started;
    return { settings, processes: system.processes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where logs stay behind for a look after a failure: one folder for each base port. */
function testLogFolder(basePort: number): string {
  return path.resolve(import.meta.dirname, '../../../../.taskflow/test', String(basePort));
}

async function lastingState(folder: string): Promise<TemporaryState> {
  await mkdir(folder, { recursive: true });
  await letThrough(folder);
  return { folder, remove: async () => {} };
}
