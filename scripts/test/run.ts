import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The root of the repository. */
export const root = path.resolve(import.meta.dirname, '../..');

export interface RunOptions {
  /** The root of the repository unless told otherwise. */
  readonly cwd?: string;
  /** Beside the variables of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Put before each line of the output, so that one can tell apart what runs at the same time. */
  readonly label?: string;
  /** Asks the command to end when it aborts. */
  readonly stop?: AbortSignal;
}

const running = new Set<ChildProcess>();

/** Set by the first signal that asks this process to end. */
export let interrupted: NodeJS.Signals | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted ??= signal;
    for (const child of running) signalGroup(child, signal);
  });
}

/** Runs a command to its end, its output shown; gives its exit code (127 where it cannot be started). */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<number> {
  const { label } = options;
  if (label === undefined) return start(file, args, options, ['ignore', 'inherit', 'inherit']).ended;
  const { child, ended } = start(file, args, options, ['ignore', 'pipe', 'pipe']);
  for (const output of [child.stdout!, child.stderr!]) onLines(output, (line) => show(line, label));
  return ended;
}

/** The same as `run`, but gives the lines of the standard output instead of showing them. */
export async function capture(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ exitCode: number; lines: readonly string[] }> {
  const { child, ended } = start(file, args, options, ['ignore', 'pipe', 'inherit']);
  const lines: string[] = [];
  onLines(child.stdout!, (line) => lines.push(line));
  return { exitCode: await ended, lines };
}

/** Shows a line, with its label where there is one. */
export function show(line: string, label?: string): void {
  console.log(label === undefined ? line : `${label} | ${line}`);
}

function start(
  file: string,
  args: readonly string[],
  { cwd = root, environment, stop }: RunOptions,
  stdio: StdioOptions,
): { child: ChildProcess; ended: Promise<number> } {
  // In a group of its own, so that all of it can be ended: what is left of a command keeps its output open.
  const child = spawn(file, args, { cwd, env: { ...process.env, ...environment }, stdio, detached: true });
  running.add(child);
  stop?.addEventListener('abort', () => signalGroup(child, 'SIGTERM'));
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      console.error(`${file}: ${error.message}`);
      resolve(127);
    });
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
  return { child, ended: ended.finally(() => running.delete(child)) };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

function onLines(output: Readable, take: (line: string) => void): void {
  createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', take);
}
