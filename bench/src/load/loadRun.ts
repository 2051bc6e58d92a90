import { waitUntilConsumed } from '../log/consumed.ts';
import { endsSince, markLog } from '../log/ends.ts';
import type { BenchSystem } from '../system/benchSystem.ts';
import { readTaskWrites, writesPerTask } from '../taskWrites.ts';
import { startUsageMeter, type Usage } from '../usageMeter.ts';
import { waitUntilVisible } from '../visible.ts';
import { batchBodies, submissions, submitBatches } from './batches.ts';

/** What a load has shown. Rates are of all its tasks, from its first request on. */
export interface LoadFigures {
  readonly tasks: number;
  readonly submittedPerSecond: number;
  /** To the moment at which the broker appended the last end. */
  readonly endedPerSecond: number;
  /** To the moment at which the read model showed the last one `success`. */
  readonly visiblePerSecond: number;
  /** From the first request until every consumer has read the log to its end. */
  readonly usage: Usage;
  readonly writesPerTask: number;
}

/** Tasks of a type that do nothing, and how they are submitted. */
export interface Load {
  readonly type: string;
  readonly tasks: number;
  /** Ends when the last one is acknowledged. */
  submit(): Promise<void>;
}

/** Submits a load, and waits until the read model shows all its tasks as `success`. */
export async function runLoad(system: BenchSystem, { type, tasks, submit }: Load): Promise<LoadFigures> {
  const { database } = system;
  const writesBefore = await readTaskWrites(system, type);
  const mark = await markLog(system, type);
  const visibleBefore = await database.countSuccess(type);
  const meter = startUsageMeter(await system.measured());
  const startedAt = performance.now();
  const startedOn = Date.now();
  await submit();
  const submittedAt = performance.now();
  await waitUntilVisible(database, type, visibleBefore + tasks);
  const visibleAt = performance.now();
  await waitUntilConsumed(system, type);
  const usage = meter.read();
  meter.stop();

  const ends = await endsSince(system, type, mark);
  const lastEnd = ends.at(-1);
  if (lastEnd === undefined || ends.length < tasks)
    throw new Error(`${ends.length} of ${tasks} tasks ended on the log`);
  return {
    tasks,
    submittedPerSecond: rate(tasks, submittedAt - startedAt),
    endedPerSecond: rate(tasks, lastEnd - startedOn),
    visiblePerSecond: rate(tasks, visibleAt - startedAt),
    usage,
    writesPerTask: writesPerTask(writesBefore, await readTaskWrites(system, type)),
  };
}

/** A load in batches of 1,000, four requests at once, made before the clock starts. */
export function burstLoad(system: BenchSystem, type: string, tasks: number): Load {
  const bodies = batchBodies(submissions(tasks, () => ({ type, payload: {} })));
  return { type, tasks, submit: () => submitBatches(system, bodies) };
}

/** The columns of a load in a table. */
export function loadColumns(figures: LoadFigures) {
  const { tasks, usage } = figures;
  const micros = usage.processes.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0);
  return {
    tasks,
    'submitted/s': figures.submittedPerSecond,
    'ended on the log/s': figures.endedPerSecond,
    'visible/s': figures.visiblePerSecond,
    'CPU µs/task': Math.round(micros / tasks),
    'writes/task': figures.writesPerTask,
    'elsewhere %': Math.round(usage.elsewhereMicros / usage.seconds / 10_000),
  };
}

function rate(tasks: number, milliseconds: number): number {
  return Math.round((tasks * 1_000) / milliseconds);
}
