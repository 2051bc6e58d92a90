import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readGoTestEvents } from './goTests.ts';
import { capture, type RunOptions, root, run, show } from './run.ts';
import { single, sum, type Tally, verdict } from './tally.ts';

/** The folders of all Go modules of the repository, as relative paths. */
const goModules: readonly string[] = globSync('**/go.mod', { cwd: root, exclude: ['**/node_modules'] })
  .map((file) => path.dirname(file))
  .sort();

/** `gofmt` and `go vet` over all modules. */
export async function lintGo(): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const module of goModules) {
    const unformatted = await capture('gofmt', ['-l', module]);
    for (const file of unformatted.lines) console.error(`not in gofmt's format: ${file}`);
    const formatted = unformatted.exitCode === 0 && unformatted.lines.length === 0;
    tallies.push(single(formatted ? await run('go', ['vet', './...'], inModule(module)) : 1));
  }
  return sum(tallies);
}

/** `go test` in each module that has tests. Those that need servers are skipped. */
export async function testGo(): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const module of goModules) {
    if (testFiles(module).length > 0) tallies.push(await goTest(module, ['-skip', '^TestIntegration', './...']));
  }
  return sum(tallies);
}

/**
 * The Go tests that need servers, which `around` gives them: those whose names begin with TestIntegration. One package at a
 * time, because each keeps the servers busy.
 */
export async function testGoIntegration(around: readonly string[], options: RunOptions): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const module of goModules) {
    const needsServers = (file: string) => /^func TestIntegration/m.test(readFileSync(file, 'utf8'));
    if (!testFiles(module).some(needsServers)) continue;
    tallies.push(await goTest(module, ['-p', '1', '-run', '^TestIntegration', './...'], around, options));
  }
  return sum(tallies);
}

function testFiles(module: string): string[] {
  const folder = path.join(root, module);
  return globSync('**/*_test.go', { cwd: folder }).map((file) => path.join(folder, file));
}

async function goTest(
  module: string,
  args: readonly string[],
  around: readonly string[] = [],
  { label, environment }: RunOptions = {},
): Promise<Tally> {
  const [file = 'go', ...rest] = [...around, 'go', 'test', '-C', path.join(root, module), '-json', ...args];
  const { exitCode, lines } = await capture(file, rest, {
    environment: { ...environment, ...inModule(module).environment },
  });
  const { tally, shown } = readGoTestEvents(lines);
  for (const line of shown.trimEnd().split('\n')) show(line, label);
  return verdict(tally, exitCode);
}

/** A module that the workspace does not list is built by itself. */
function inModule(module: string): RunOptions {
  const alone = !workspace().includes(module);
  return { cwd: path.join(root, module), environment: alone ? { GOWORK: 'off' } : {} };
}

function workspace(): readonly string[] {
  try {
    const text = readFileSync(path.join(root, 'go.work'), 'utf8');
    return [...text.matchAll(/^(?:use)?\s*\.\/([^\s()]+)\s*$/gm)].map(([, folder = '']) => folder);
  } catch {
    return [];
  }
}
