import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSystem } from '@taskflow/embedded/system';
import { BASE_PORT } from '../basePort.ts';

/** A service that a benchmark has started beside those of the system. */
export interface ServiceProcess {
  readonly name: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly spawnedAt: number;
  readonly readyAt: number;
  /** Asks it to stop, and waits for its end. */
  stop(): Promise<void>;
  /** Ends it as a crash does; nobody starts it again. */
  kill(): void;
}

export interface ServiceProgram {
  readonly name: string;
  /** From the root of the repository: a file for Node.js (`.js`, `.ts`), or a program. */
  readonly runs: string;
  readonly environment: Readonly<Record<string, string>>;
}

const root = path.resolve(import.meta.dirname, '../../..');
const FIRST_STATUS_PORT = BASE_PORT + 480;
const READY_WITHIN_MS = 120_000;

const running = new Set<ChildProcess>();
let started = 0;
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a service in a running system, and resolves when it says that it is ready. */
export async function startService(
  system: RunningSystem,
  { name, runs, environment }: ServiceProgram,
): Promise<ServiceProcess> {
  const statusPort = FIRST_STATUS_PORT + (started++ % 20);
  const file = path.join(root, runs);
  const [program, args] = /\.[jt]s$/.test(runs)
    ? [process.execPath, [...(await nodeOptionsOf(system, runs)), file]]
    : [file, []];
  const spawnedAt = Date.now();
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      NODE_ENV: 'production',
      ...process.env,
      ...system.environment,
      TASKFLOW_STATUS_PORT: String(statusPort),
      ...environment,
    },
  });
  running.add(child);
  const ended = once(child, 'exit').finally(() => running.delete(child));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await untilReady(child, name, statusPort);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { name, pid: child.pid!, spawnedAt, readyAt: Date.now(), stop, kill: () => void child.kill('SIGKILL') };
}

/**
 * The options that the system gives Node.js for the service of this folder, and for the orchestrator where it runs no such one: what
 * runs beside its own services runs under the same.
 */
async function nodeOptionsOf(system: RunningSystem, runs: string): Promise<string[]> {
  const processes = await system.processes();
  const named = (wanted: string) => processes.find(({ name }) => name === wanted);
  const service = named(runs.split('/')[0]!) ?? named('orchestrator');
  if (service === undefined) throw new Error('there is no orchestrator');
  return readFileSync(`/proc/${service.pid}/cmdline`, 'utf8')
    .split('\0')
    .slice(1)
    .filter((argument) => argument.startsWith('--'));
}

async function untilReady(child: ChildProcess, name: string, statusPort: number): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(`http://127.0.0.1:${statusPort}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await delay(20);
  }
  throw new Error(`${name} did not get ready`);
}
