import path from 'node:path';
import type { Command, Program } from '../process/program.ts';

/** The root of the repository. */
const root = path.resolve(import.meta.dirname, '../../../..');

/** How long a service may take for its orderly end; the whole system has 15 s. */
const stopTimeoutMs = 6_000;

const nodeOptions = [
  // kafkajs asks for timers in the past, which Node 24 warns about.
  '--disable-warning=TimeoutNegativeWarning',
  // docs/decisions/0054-young-generation-of-the-services.md
  '--max-semi-space-size=16',
];

const apiMain = 'api/dist/main.js';
/** By how many percent what is alive may grow before it is collected: docs/decisions/0138-garbage-of-the-services.md */
const heapGrowingPercent = (main: string): number => (main === apiMain ? 70 : 150);

export interface ServiceOptions {
  readonly name: string;
  /** How it is executed with an environment. */
  command(env: NodeJS.ProcessEnv): Command;
  /** Where it serves `/readyz`. */
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** One of the project's own services as a program. */
export function serviceProgram({ name, command, port, env, logFile }: ServiceOptions): Program {
  return {
    name,
    port,
    logFile,
    prepare: async () => command({ ...env, TASKFLOW_STOP_TIMEOUT_MS: String(stopTimeoutMs - 500) }),
    async ready() {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
      await response.body?.cancel();
      return response.ok;
    },
    stopSignal: 'SIGTERM',
    stopTimeoutMs,
    readyTimeoutMs: 120_000,
  };
}

/** Runs a compiled file with this process's Node. */
export function nodeCommand(main: string, env: NodeJS.ProcessEnv): Command {
  return {
    file: process.execPath,
    args: [...nodeOptions, `--heap-growing-percent=${heapGrowingPercent(main)}`, path.join(root, main)],
    env: { NODE_ENV: 'production', ...env },
    cwd: root,
  };
}

/** Runs a program of this repository, named by its place from the root. */
export function programCommand(file: string, env: NodeJS.ProcessEnv): Command {
  return { file: path.join(root, file), args: [], env, cwd: root };
}
