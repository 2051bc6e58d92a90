import path from 'node:path';
import type { Command, Program } from '../process/program.ts';

/** The root of the repository. */
const root = path.resolve(import.meta.dirname, '../../../..');

/** How long a service may take for its orderly end; the whole system has 15 s. */
const stopTimeoutMs = 6_000;

/** kafkajs asks for timers in the past, which Node 24 warns about. */
const nodeOptions = ['--disable-warning=TimeoutNegativeWarning'];

/** Megabytes of the young generation, and by how many percent the old one grows: docs/decisions/0054 and 0138 say why. */
const heapOptions = (growingPercent: number) => [
  '--max-semi-space-size=16',
  `--heap-growing-percent=${growingPercent}`,
];

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
  // It holds the most while it builds views anew.
  const growingPercent = main.startsWith('projector/') ? 100 : 150;
  return {
    file: process.execPath,
    args: [...nodeOptions, ...heapOptions(growingPercent), path.join(root, main)],
    env: { NODE_ENV: 'production', ...env },
    cwd: root,
  };
}

/** Runs a program of this repository, named by its place from the root. */
export function programCommand(file: string, env: NodeJS.ProcessEnv): Command {
  return { file: path.join(root, file), args: [], env, cwd: root };
}
