/**
 * Runs the repository's checks and tests, stage by stage, and ends with the line `N passed, N failed`.
 *
 *     node scripts/test/main.ts [lint|unit|integration|e2e]…
 *
 * Without arguments all stages run. A stage that breaks does not keep the later ones from running. Exits 1 when anything
 * failed.
 */
import { lintGo, testGo, testGoIntegration } from './goModules.ts';
import { testWithMocha } from './mochaStage.ts';
import { interrupted, run } from './run.ts';
import { single, sum, type Tally } from './tally.ts';

interface Stage {
  readonly name: string;
  readonly group: 'lint' | 'unit' | 'integration' | 'e2e';
  run(): Promise<Tally>;
}

const fromSource = '--conditions=taskflow-source';
const withTestStack = ['node', fromSource, 'infra/embedded/src/withTestStack.ts', '--'];

const stages: readonly Stage[] = [
  { name: 'style', group: 'lint', run: async () => single(await run('biome', ['check', '.'])) },
  { name: 'layers', group: 'lint', run: async () => single(await run('node', ['scripts/checkLayers.ts'])) },
  {
    name: 'documents',
    group: 'lint',
    run: async () => single(await run('node', [fromSource, 'scripts/configurationDocs.ts', '--check'])),
  },
  { name: 'types', group: 'lint', run: async () => single(await run('tsc', ['-p', 'tsconfig.json'])) },
  { name: 'go vet', group: 'lint', run: lintGo },
  { name: 'unit', group: 'unit', run: () => testWithMocha({ config: '.mocharc.unit.json' }) },
  { name: 'go test', group: 'unit', run: testGo },
  {
    name: 'integration',
    group: 'integration',
    run: () => testWithMocha({ config: '.mocharc.integration.json', around: withTestStack }),
  },
  { name: 'go integration', group: 'integration', run: () => testGoIntegration(withTestStack) },
  // The black-box tests run the services as they are shipped.
  { name: 'build', group: 'e2e', run: async () => single(await run('tsc', ['-b', 'tsconfig.build.json'])) },
  { name: 'e2e', group: 'e2e', run: () => testWithMocha({ config: '.mocharc.e2e.json' }) },
];

const wanted = process.argv.slice(2);
const unknown = wanted.find((group) => !stages.some((stage) => stage.group === group));
if (unknown !== undefined) {
  console.error(`there is no stage ${JSON.stringify(unknown)}; there are lint, unit, integration and e2e`);
  process.exit(2);
}

const rows: { name: string; tally: Tally; seconds: number }[] = [];
for (const stage of stages) {
  if (wanted.length > 0 && !wanted.includes(stage.group)) continue;
  if (interrupted !== undefined) break;
  console.log(`\n== ${stage.name}`);
  const begun = performance.now();
  const tally = await stage.run();
  rows.push({ name: stage.name, tally, seconds: (performance.now() - begun) / 1000 });
}
// What did not run because of a signal has not passed.
if (interrupted !== undefined) rows.push({ name: interrupted, tally: { passed: 0, failed: 1 }, seconds: 0 });

console.log();
for (const { name, tally, seconds } of rows) {
  const counts = `${String(tally.passed).padStart(5)} passed ${String(tally.failed).padStart(4)} failed`;
  console.log(`${name.padEnd(14)} ${counts} ${seconds.toFixed(1).padStart(7)} s`);
}
const { passed, failed } = sum(rows.map((row) => row.tally));
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
