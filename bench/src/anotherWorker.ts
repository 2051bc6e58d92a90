import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningSystem } from '@taskflow/embedded/system';
import { BASE_PORT } from './basePort.ts';

export interface AnotherWorker {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly spawnedAt: number;
  readonly readyAt: number;
  stop(): Promise<void>;
}

const root = path.resolve(import.meta.dirname, '../..');
const statusPort = BASE_PORT + 490;

/** Starts one more worker process in a running system, and resolves when it says that it is ready. */
export async function startAnotherWorker(
  system: RunningSystem,
  environment: Readonly<Record<string, string>>,
): Promise<AnotherWorker> {
  const name = 'joining-worker';
  const spawnedAt = Date.now();
  const child = spawn(process.execPath, ['workers/dist/main.js'], {
    cwd: root,
    stdio: 'ignore',
    env: {
      ...process.env,
      ...system.environment,
      ...environment,
      TASKFLOW_WORKER_NAME: name,
      TASKFLOW_STATUS_PORT: String(statusPort),
    },
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await untilReady(child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { name, spawnedAt, readyAt: Date.now(), stop };
}

async function untilReady(child: { readonly exitCode: number | null }): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${statusPort}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(20);
  }
  throw new Error('the worker that was to join did not get ready');
}
