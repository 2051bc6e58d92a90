import path from 'node:path';
import { testGoIntegration } from './goModules.ts';
import { testWithMocha } from './mochaStage.ts';
import type { RunOptions } from './run.ts';
import type { Tally } from './tally.ts';
import { type Kind, testFiles } from './testFiles.ts';

/** A stage to run at the same time as others. */
export interface Lane {
  readonly name: string;
  run(): Promise<Tally>;
}

/** Which test files a lane runs: those that match its pattern and none before it. Chosen so that all take about as long. */
type Patterns = readonly (readonly [name: string, pattern: string])[];

const withTestStack = ['node', '--conditions=taskflow-source', 'infra/embedded/src/withTestStack.ts', '--'];

/**
 * The integration tests. They wait for timeouts and restarted servers for most of their time, so two cores serve several lanes at
 * once, each with a stack of its own.
 */
export function integrationLanes(): readonly Lane[] {
  const runs = filesByLane('integration', [
    ['faults', 'log/**/*{Faults,Moves,Brokers}.*'],
    ['log', 'log/**'],
    ['infra', '{infra,service}/**'],
    ['services', '**'],
  ]).map(({ name, files }) => ({
    name,
    run: (options: RunOptions) =>
      testWithMocha({ config: '.mocharc.integration.json', files, around: withTestStack, ...options }),
  }));
  const go = { name: 'go', run: (options: RunOptions) => testGoIntegration(withTestStack, options) };
  return lanesOf('integration', [...runs, go], { variable: 'TASKFLOW_TEST_BASE_PORT', first: 30_000 });
}

/** The black-box tests, each lane on a system of its own. */
export function endToEndLanes(): readonly Lane[] {
  const runs = filesByLane('e2e', [
    ['workers', '**/workerFaults.*'],
    ['go', '**/goWorkerFaults.*'],
    ['system', '**'],
  ]).map(({ name, files }) => ({
    name,
    run: (options: RunOptions) => testWithMocha({ config: '.mocharc.e2e.json', files, ...options }),
  }));
  return lanesOf('e2e', runs, { variable: 'TASKFLOW_E2E_BASE_PORT', first: 20_000 });
}

function filesByLane(kind: Kind, patterns: Patterns): { name: string; files: readonly string[] }[] {
  const files = Map.groupBy(testFiles(kind), (file) =>
    patterns.findIndex(([, pattern]) => path.matchesGlob(file, pattern)),
  );
  return patterns.map(([name], index) => ({ name, files: files.get(index) ?? [] }));
}

/** A system's ports reach from its base port to 432 above it. All stay below those that Linux gives to outgoing connections (32768). */
const portsOfOne = 500;

/** Labels what the lanes print, and gives each ports of its own, the first those that the variable names. */
function lanesOf(
  kind: Kind,
  runs: readonly { name: string; run(options: RunOptions): Promise<Tally> }[],
  { variable, first }: { variable: string; first: number },
): readonly Lane[] {
  const base = Number(process.env[variable] || first);
  return runs.map(({ name, run }, index) => ({
    name: `${kind} ${name}`,
    run: () => run({ label: name.padEnd(8), environment: { [variable]: String(base + index * portsOfOne) } }),
  }));
}
