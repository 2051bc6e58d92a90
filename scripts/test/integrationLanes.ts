import { testGoIntegration } from './goModules.ts';
import { testWithMocha } from './mochaStage.ts';
import type { RunOptions } from './run.ts';
import type { Tally } from './tally.ts';
import { inFolders, testFiles } from './testFiles.ts';

const withTestStack = ['node', '--conditions=taskflow-source', 'infra/embedded/src/withTestStack.ts', '--'];

/** Folders whose integration tests take about as long as the others' together, mostly because they wait. */
const lanes: Readonly<Record<string, readonly string[]>> = {
  log: ['log'],
  infra: ['infra', 'service'],
};

/**
 * The integration tests, as stages to run at the same time: they wait for timeouts and restarted servers for most of their
 * time, so two cores serve them all. Each has a stack of its own, on ports of its own.
 */
export function integrationLanes(): readonly { name: string; run(): Promise<Tally> }[] {
  const files = testFiles('integration');
  const others = files.filter((file) => inFolders([file], Object.values(lanes).flat()).length === 0);
  const mochaLanes = [
    ...Object.entries(lanes).map(([name, folders]) => ({ name, files: inFolders(files, folders) })),
    { name: 'services', files: others },
  ].map(({ name, files }) => ({
    name,
    run: (options: RunOptions) =>
      testWithMocha({ config: '.mocharc.integration.json', files, around: withTestStack, ...options }),
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
