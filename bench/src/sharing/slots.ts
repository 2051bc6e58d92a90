import os from 'node:os';
import { markLog } from '../log/ends.ts';
import { readTaskRuns } from '../log/taskRuns.ts';
import type { BenchSystem } from '../system/benchSystem.ts';
import { holdBack } from '../system/holdBack.ts';
import { TYPESCRIPT } from '../system/workerKinds.ts';
import { startUsageMeter, type Usage } from '../usageMeter.ts';
import { waitUntilVisible } from '../visible.ts';
import { idlePercent } from './idlePercent.ts';
import type { Workload } from './workloads.ts';

/** Up to which share of the slots' time that is not used the slots themselves count as the limit. */
const IDLE_PERCENT = 5;

/** Lets workers drain a workload that waits for them; a row of what they made of their slots until the last task had started. */
export async function drain(system: BenchSystem, { shown, tasks, meanMs }: Workload, workers: number, slots: number) {
  const { type } = TYPESCRIPT;
  const held = await holdBack(system, type);
  const visible = await system.database.countSuccess(type);
  const mark = await markLog(system, type);
  await held.queue(tasks);
  const meter = startUsageMeter(await system.measured());
  await held.release();
  await waitUntilVisible(system.database, type, visible + tasks.length);
  const usage = meter.read();
  meter.stop();
  const runs = await readTaskRuns(system, type, mark);
  const whole = { from: runs[0]?.startedAt ?? Number.NaN, to: runs.at(-1)?.startedAt ?? Number.NaN };
  const idle = idlePercent(runs, whole, workers * slots);
  return {
    tasks: shown,
    workers,
    seconds: (whole.to - whole.from) / 1_000,
    'started/s': Math.round((runs.length * 1_000) / (whole.to - whole.from)),
    'slots allow/s': Math.round((workers * slots * 1_000) / meanMs),
    'idle %': idle,
    'limited by': limit(usage, idle),
  };
}

/** What keeps it from being faster, as far as use of the CPU tells. */
function limit({ processes, seconds, elsewhereMicros }: Usage, idle: number): string {
  if (idle <= IDLE_PERCENT) return 'slots';
  const percent = (micros: number): number => Math.round(micros / seconds / 10_000);
  const most = processes.reduce((a, b) => (a.cpuMicros > b.cpuMicros ? a : b));
  const all = percent(processes.reduce((sum, { cpuMicros }) => sum + cpuMicros, elsewhereMicros));
  const busiest = `${most.name} ${percent(most.cpuMicros)} %, elsewhere ${percent(elsewhereMicros)} %`;
  const full = all > 90 * os.availableParallelism();
  return full ? `CPU, all cores (${busiest})` : `no core is full (${all} %, ${busiest})`;
}
