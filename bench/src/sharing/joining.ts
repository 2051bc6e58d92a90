import type { Table } from '../benchmark.ts';
import { markLog } from '../log/ends.ts';
import { readTaskRuns } from '../log/taskRuns.ts';
import type { BenchSystem } from '../system/benchSystem.ts';
import { holdBack } from '../system/holdBack.ts';
import { TYPESCRIPT } from '../system/workerKinds.ts';
import { waitUntilVisible } from '../visible.ts';
import { idlePercent } from './idlePercent.ts';
import type { Workload } from './workloads.ts';

const NAME = 'joining-worker';

/** A worker joins others when a third of the work is done: how soon it has some. */
export async function joining(
  system: BenchSystem,
  { shown, tasks }: Workload,
  workers: number,
  slots: number,
): Promise<Table> {
  const { type } = TYPESCRIPT;
  const held = await holdBack(system, type);
  const visible = await system.database.countSuccess(type);
  const mark = await markLog(system, type);
  await held.queue(tasks);
  await held.release();
  await waitUntilVisible(system.database, type, visible + tasks.length / 3);
  const joined = await system.startWorker(TYPESCRIPT, NAME, { TASKFLOW_SLOTS: `${type}=${slots}` });
  await waitUntilVisible(system.database, type, visible + tasks.length);
  const runs = await readTaskRuns(system, type, mark);
  const first = runs.find(({ workerId }) => workerId.startsWith(`${NAME}.`))?.startedAt ?? Number.NaN;
  const after = { from: first, to: runs.at(-1)?.startedAt ?? Number.NaN };
  return {
    title: `a worker joins ${workers} others, milliseconds; slots from then on (${shown})`,
    rows: [
      {
        'process start → ready': joined.readyAt - joined.spawnedAt,
        '→ first task': first - joined.spawnedAt,
        'seconds after': (after.to - after.from) / 1_000,
        'idle %': idlePercent(runs, after, (workers + 1) * slots),
      },
    ],
  };
}
