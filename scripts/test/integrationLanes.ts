import path from 'node:path';
import { testGoIntegration } from './goModules.ts';
import { testWithMocha } from './mochaStage.ts';
import type { RunOptions } from './run.ts';
import type { Tally } from './tally.ts';
import { testFiles } from './testFiles.ts';

const withTestStack = ['node', '--conditions=taskflow-source', 'infra/embedded/src/withTestStack.ts', '--'];

/** Which test files a lane runs: those that match its pattern and none before it. Chosen so that all take about as long. */
const lanes: readonly (readonly [name: string, pattern: string])[] = [
  ['faults', 'log/**/*{Faults,Moves,Brokers}.*'],
  ['log', 'log/**'],
  ['infra', '{infra,service}/**'],
  ['services', '**'],
];

/**
 * The integration tests, as stages to run at the same time: they wait for timeouts and restarted servers for most of their
 * time, so two cores serve them all. Each has a stack of its own, on ports of its own.
 */
export function integrationLanes(): readonly { name: string; run(): Promise<Tally> }[] {
  const files = Map.groupBy(testFiles('integration'), (file) =>
    lanes.findIndex(([, pattern]) => path.matchesGlob(file, pattern)),
  );
  const mochaLanes = lanes.map(([name], index) => ({
    name,
    run: (options: RunOptions) =>
      testWithMocha({
        config: '.mocharc.integration.json',
        files: files.get(index) ?? [],
        around: withTestStack,
        ...options,
      }),
  }));
  const all = [...mochaLanes, { name: 'go', run: (options: RunOptions) => testGoIntegration(withTestStack, options) }];
  return all.map(({ name, run }, index) => ({
    name: `integration ${name}`,
    run: () => run({ label: name.padEnd(8), environment: portsOfLane(index) }),
  }));
}

function portsOfLane(index: number): Readonly<Record<string, string>> {
  const first = Number(process.env.TASKFLOW_TEST_BASE_PORT || '30000');
  return { TASKFLOW_TEST_BASE_PORT: String(first + index * 1_000) };
}
