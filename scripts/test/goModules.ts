import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readGoTestEvents } from './goTests.ts';
import { capture, root, run } from './run.ts';
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
    if (unformatted.output !== '') console.error(`not in gofmt's format:\n${unformatted.output}`);
    const formatted = unformatted.exitCode === 0 && unformatted.output === '';
    tallies.push(single(formatted ? await run('go', ['vet', './...'], inModule(module)) : 1));
  }
  return sum(tallies);
}

/** `go test` in each module that has tests. */
export async function testGo(): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const module of goModules) {
    if (globSync('**/*_test.go', { cwd: path.join(root, module) }).length === 0) continue;
    const { exitCode, output } = await capture('go', ['test', '-json', './...'], inModule(module));
    const { tally, shown } = readGoTestEvents(output.split('\n').filter((line) => line !== ''));
    process.stdout.write(shown);
    tallies.push(verdict(tally, exitCode));
  }
  return sum(tallies);
}

/** A module that the workspace does not list is built by itself. */
function inModule(module: string): { cwd: string; env: NodeJS.ProcessEnv } {
  const alone = !workspace().includes(module);
  return { cwd: path.join(root, module), env: { ...process.env, ...(alone && { GOWORK: 'off' }) } };
}

function workspace(): readonly string[] {
  try {
    const text = readFileSync(path.join(root, 'go.work'), 'utf8');
    return [...text.matchAll(/^(?:use)?\s*\.\/([^\s()]+)\s*$/gm)].map(([, folder = '']) => folder);
  } catch {
    return [];
  }
}
