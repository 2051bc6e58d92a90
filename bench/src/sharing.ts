/**
 * `sharing`: how workers share what waits for them: 1, 2 and 4 of them, when one joins, while one run lasts very long, and with one
 * partition of the queue and three.
 */
import type { Benchmark } from './benchmark.ts';
import { burstLoad, type LoadFigures, runLoad } from './load/loadRun.ts';
import { scaled } from './options.ts';
import { joining } from './sharing/joining.ts';
import { longRun } from './sharing/longRun.ts';
import { drain } from './sharing/slots.ts';
import { evenTasks, unevenTasks } from './sharing/workloads.ts';
import { type BenchSystem, ONE_IDLE_WORKER, withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { TYPESCRIPT } from './system/workerKinds.ts';
import type { Row } from './table.ts';

const { type } = TYPESCRIPT;
const WORKERS = [1, 2, 4];
const MOST = 4;
const SLOTS = 64;
const FEW_SLOTS = { TASKFLOW_SLOTS: `${type}=${SLOTS}` };
/** Of each worker: some five seconds for its slots. */
const EVEN_TASKS = scaled(16_000);
const UNEVEN_TASKS = scaled(2_000);
const MEDIAN_MS = 100;
const LONGER_MS = 200;
const SHORT_TASKS = scaled(100_000);
const PARTITIONED = {
  ...ONE_IDLE_WORKER,
  environment: { ...ONE_IDLE_WORKER.environment, TASKFLOW_QUEUE_PARTITIONS: '3' },
};

export const sharing: Benchmark = {
  name: 'sharing',
  about: `work that waits, and workers with ${SLOTS} slots that share it`,
  async run(report) {
    const partitions: Row[] = [];
    await withSystem(async (system) => {
      const rows: Row[] = [];
      for (const workers of WORKERS) {
        await system.startWorkers(TYPESCRIPT, workers, FEW_SLOTS);
        await warmUp(system, type, workers === WORKERS[0] ? 3 : 1);
        rows.push(await drain(system, evenTasks(EVEN_TASKS * workers), workers, SLOTS));
        rows.push(await drain(system, unevenTasks(UNEVEN_TASKS * workers, MEDIAN_MS), workers, SLOTS));
      }
      report({ title: `workers of ${SLOTS} slots, from the first start to the last one, on a warm system`, rows });
      report(await joining(system, unevenTasks(UNEVEN_TASKS * 4, LONGER_MS), MOST, SLOTS));
      await system.startWorkers(TYPESCRIPT, 2);
      await warmUp(system, type, 1);
      for (const table of await longRun(system, SHORT_TASKS)) report(table);
      partitions.push(await withPartitions(system, 1));
    });
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2);
      await warmUp(system, type);
      partitions.push(await withPartitions(system, 3));
    }, PARTITIONED);
    report({ title: 'partitions of the queue, two workers', rows: partitions });
  },
};

/** A burst, and work that waits for few slots. */
async function withPartitions(system: BenchSystem, partitions: number): Promise<Row> {
  const burst: LoadFigures = await runLoad(system, burstLoad(system, type, SHORT_TASKS));
  await system.startWorkers(TYPESCRIPT, 2, FEW_SLOTS);
  const uneven = await drain(system, unevenTasks(UNEVEN_TASKS * 2, MEDIAN_MS), 2, SLOTS);
  return {
    partitions,
    'no-op tasks': burst.tasks,
    'ended on the log/s': burst.endedPerSecond,
    'visible/s': burst.visiblePerSecond,
    'tasks that wait': uneven.tasks,
    'started/s': uneven['started/s'],
    'idle %': uneven['idle %'],
  };
}
