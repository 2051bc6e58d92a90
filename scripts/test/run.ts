import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';

/** The root of the repository; commands run there unless told otherwise. */
export const root = path.resolve(import.meta.dirname, '../..');

let running: ChildProcess | undefined;

/** Set by the first signal that asks this process to end. */
export let interrupted: NodeJS.Signals | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted ??= signal;
    // A terminal sends SIGINT to the running command as well; a second one would keep it from cleaning up.
    if (signal !== 'SIGINT') running?.kill(signal);
  });
}

/** Runs a command to its end, its output shown; gives its exit code (127 where it cannot be started). */
export function run(file: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
  return new Promise((resolve) => {
    running = spawn(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    running.once('error', (error) => {
      console.error(`${file}: ${error.message}`);
      resolve(127);
    });
    running.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}

/** Asks the running command to end. */
export function stopRunning(): void {
  running?.kill('SIGTERM');
}

/** The same as `run`, but gives the standard output instead of showing it. */
export async function capture(
  file: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<{ exitCode: number; output: string }> {
  const ended = run(file, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  running?.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return { exitCode: await ended, output };
}
