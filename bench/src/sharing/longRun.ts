import { setTimeout as delay } from 'node:timers/promises';
import type { Offsets } from '@taskflow/log/reader';
import type { Table } from '../benchmark.ts';
import { batchBodies, submitBatches } from '../load/batches.ts';
import { burstLoad, loadColumns, runLoad } from '../load/loadRun.ts';
import { markLog } from '../log/ends.ts';
import { readTaskRuns, type TaskRun } from '../log/taskRuns.ts';
import { LONG_RUN_SECONDS } from '../options.ts';
import type { BenchSystem } from '../system/benchSystem.ts';
import { TYPESCRIPT } from '../system/workerKinds.ts';
import { waitUntilVisible } from '../visible.ts';

/** Short tasks alone, and beside a run that lasts long: does it hold anything back, and is it left alone? */
export async function longRun(system: BenchSystem, short: number): Promise<readonly Table[]> {
  const { type } = TYPESCRIPT;
  const alone = await runLoad(system, burstLoad(system, type, short));
  const visible = await system.database.countSuccess(type);
  const mark = await markLog(system, type);
  const sleepMs = LONG_RUN_SECONDS * 1_000;
  await submitBatches(system, batchBodies([{ type, payload: { sleepMs }, timeoutMs: 10 * sleepMs }]));
  while ((await readTaskRuns(system, type, mark)).length === 0) await delay(100);
  const beside = await runLoad(system, burstLoad(system, type, short));
  const ended = await lengthiest(system, mark);
  // The two tasks by which `runLoad` reads what was written are there as well.
  await waitUntilVisible(system.database, type, visible + short + 3, sleepMs + 60_000);
  const { run, starts } = await lengthiest(system, mark);
  return [
    {
      title: 'short tasks beside a long run, two workers',
      rows: [
        { beside: 'nothing', ...loadColumns(alone) },
        {
          beside:
            ended.run.endedAt === undefined ? `a run of ${LONG_RUN_SECONDS} s` : 'a run that ended before they did',
          ...loadColumns(beside),
        },
      ],
    },
    {
      title: 'the long run',
      rows: [{ starts, 'seconds from start to end': ((run.endedAt ?? Number.NaN) - run.startedAt) / 1_000 }],
    },
  ];
}

/** The run that took longest so far, and how often its task was started. */
async function lengthiest(system: BenchSystem, mark: Offsets): Promise<{ run: TaskRun; starts: number }> {
  const runs = await readTaskRuns(system, TYPESCRIPT.type, mark);
  const now = Date.now();
  const length = ({ startedAt, endedAt }: TaskRun): number => (endedAt ?? now) - startedAt;
  const run = runs.reduce((a, b) => (length(a) > length(b) ? a : b));
  return { run, starts: runs.filter(({ taskId }) => taskId === run.taskId).length };
}
