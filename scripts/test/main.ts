/**
 * Runs the repository's checks and tests, stage by stage, and ends with the line `N passed, N failed`.
 *
 *     node scripts/test/main.ts [lint|unit|integration|e2e]…
 *
 * Without arguments all stages run. A stage that breaks does not keep the later ones from running. Exits 1 when anything
 * failed.
 */
import { lintGo, testGo } from './goModules.ts';
import { endToEndLanes, integrationLanes } from './lanes.ts';
import { testWithMocha } from './mochaStage.ts';
import { interrupted, run } from './run.ts';
import { single, sum, type Tally } from './tally.ts';
import { testFiles } from './testFiles.ts';

interface Stage {
  readonly name: string;
  run(): Promise<Tally>;
}

/** One after the other; the stages of a list within it at the same time. */
const groups: Readonly<Record<string, readonly (Stage | readonly Stage[])[]>> = {
  lint: [
    { name: 'style', run: check('biome', 'check', '.') },
    { name: 'layers', run: check('node', 'scripts/checkLayers.ts') },
    {
      name: 'documents',
      run: check('node', '--conditions=taskflow-source', 'scripts/configurationDocs.ts', '--check'),
    },
    { name: 'types', run: check('tsc', '-p', 'tsconfig.json') },
    { name: 'go vet', run: lintGo },
  ],
  unit: [
    { name: 'unit', run: () => testWithMocha({ config: '.mocharc.unit.json', files: testFiles('unit') }) },
    { name: 'go test', run: testGo },
  ],
  integration: [integrationLanes()],
  e2e: [
    // The black-box tests run the services as they are shipped.
    [
      { name: 'build', run: check('tsc', '-b', 'tsconfig.build.json') },
      { name: 'go build', run: check('make', '--silent', 'go-workers/bin/go-worker') },
    ],
    endToEndLanes(),
  ],
};

function check(file: string, ...args: readonly string[]): () => Promise<Tally> {
  return async () => single(await run(file, args));
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((group) => !(group in groups));
if (unknown !== undefined) {
  console.error(`there is no stage ${JSON.stringify(unknown)}; there are ${Object.keys(groups).join(', ')}`);
  process.exit(2);
}

const rows: { name: string; tally: Tally; seconds: number }[] = [];
for (const [group, steps] of Object.entries(groups)) {
  if (wanted.length > 0 && !wanted.includes(group)) continue;
  for (const step of steps) {
    if (interrupted === undefined) await Promise.all([step].flat().map(runStage));
  }
}
// What did not run because of a signal has not passed.
if (interrupted !== undefined)
  rows.push({ name: interrupted, tally: { passed: 0, failures: ['ended the run'] }, seconds: 0 });

console.log();
for (const { name, tally, seconds } of rows) {
  const counts = `${String(tally.passed).padStart(5)} passed ${String(tally.failures.length).padStart(4)} failed`;
  console.log(`${name.padEnd(22)} ${counts} ${seconds.toFixed(1).padStart(7)} s`);
}
// Once more at the end, where one looks first.
for (const { name, tally } of rows) for (const failure of tally.failures) console.log(`failed: ${name}: ${failure}`);
const { passed, failures } = sum(rows.map((row) => row.tally));
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;

async function runStage(stage: Stage): Promise<void> {
  console.log(`\n== ${stage.name}`);
  const begun = performance.now();
  const tally = await stage.run();
  rows.push({ name: stage.name, tally, seconds: (performance.now() - begun) / 1000 });
}
