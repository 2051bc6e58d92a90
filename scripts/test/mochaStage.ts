import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type RunOptions, run } from './run.ts';
import { type Tally, verdict } from './tally.ts';

interface MochaOptions extends Pick<RunOptions, 'environment' | 'label'> {
  /** A file of Mocha's options at the root of the repository. */
  readonly config: string;
  /** The files with the tests, from the root. */
  readonly files: readonly string[];
  /** Put before `mocha`, for instance to give it servers. */
  readonly around?: readonly string[];
}

/** Runs Mocha and counts. No test files is no failure: there is nothing to run. */
export async function testWithMocha({ config, files, around = [], ...options }: MochaOptions): Promise<Tally> {
  if (files.length === 0) return { passed: 0, failures: [] };

  const folder = mkdtempSync(path.join(tmpdir(), 'taskflow-count-'));
  try {
    const output = path.join(folder, 'tally.json');
    const [file = 'mocha', ...args] = [
      ...[...around, 'mocha', '--config', config, '--forbid-only'],
      ...['--reporter', 'scripts/test/mochaReporter.ts', '--reporter-option', `output=${output}`],
      ...files,
    ];
    const overdue = new AbortController();
    const watch = watchEnd(output, overdue);
    const exitCode = await run(file, args, { ...options, stop: overdue.signal });
    clearInterval(watch);
    return verdict(readTally(output), exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How long Mocha may take to end after its last test: servers of the tests stop meanwhile. */
const patienceMs = 60_000;

/** Mocha waits for whatever its tests have left open. One that waits for too long is ended, and so fails. */
function watchEnd(output: string, overdue: AbortController): NodeJS.Timeout {
  let testedAt: number | undefined;
  return setInterval(() => {
    if (testedAt === undefined && existsSync(output)) testedAt = Date.now();
    if (testedAt === undefined || Date.now() < testedAt + patienceMs) return;
    testedAt = Number.POSITIVE_INFINITY;
    console.error('all tests have run, but something that they left open keeps Mocha from ending');
    overdue.abort();
  }, 1_000);
}

/** What the reporter has written; nothing where Mocha did not get to its end. */
function readTally(file: string): Tally | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Tally;
  } catch {
    return undefined;
  }
}
