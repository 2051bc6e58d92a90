/**
 * `backlog`: many tasks queued while their type is paused, then drained: whether rate and memory stay the same from its
 * beginning to its end.
 */
import type { Benchmark } from './benchmark.ts';
import { submissions } from './load/batches.ts';
import { endsSince, markLog } from './log/ends.ts';
import { memoryTable } from './memoryTable.ts';
import { scaled } from './options.ts';
import { withSystem } from './system/benchSystem.ts';
import { holdBack } from './system/holdBack.ts';
import { warmUp } from './system/warmUp.ts';
import { TYPESCRIPT } from './system/workerKinds.ts';
import type { Row } from './table.ts';
import { startUsageMeter, usageRows } from './usageMeter.ts';
import { waitUntilVisible } from './visible.ts';

const TASKS = scaled(500_000);
const PARTS = 10;
const { type } = TYPESCRIPT;

export const backlog: Benchmark = {
  name: 'backlog',
  about: `${TASKS.toLocaleString('en-US')} no-op tasks queued, then drained by two workers`,
  async run(report) {
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2);
      await warmUp(system, type);
      const memory = memoryTable(await system.measured());
      const visibleBefore = await system.database.countSuccess(type);
      const mark = await markLog(system, type);

      const held = await holdBack(system, type);
      memory.look('empty');
      const submitSeconds = await held.queue(submissions(TASKS, () => ({ type, payload: {} })));
      memory.look('all queued');

      const meter = startUsageMeter(await system.measured());
      const resumedAt = Date.now();
      await held.release();
      const visibleAt: number[] = [];
      await waitUntilVisible(system.database, type, visibleBefore + TASKS, 60_000, (seen) => {
        while (visibleAt.length < PARTS && seen - visibleBefore >= ((visibleAt.length + 1) * TASKS) / PARTS) {
          visibleAt.push(Date.now());
          if (visibleAt.length === PARTS / 2) memory.look('half drained');
        }
      });
      const usage = meter.read();
      meter.stop();
      memory.look('drained');

      const ends = await endsSince(system, type, mark);
      const endedAt = Array.from(
        { length: PARTS },
        (_, part) => ends[Math.ceil(((part + 1) * TASKS) / PARTS) - 1] ?? 0,
      );
      report({
        title: `${TASKS.toLocaleString('en-US')} tasks submitted at ${Math.round(TASKS / submitSeconds).toLocaleString('en-US')}/s while paused, then drained, by tenths`,
        rows: rates(resumedAt, endedAt, visibleAt),
      });
      report({ title: 'memory of each process, MB', rows: memory.rows() });
      report({ title: 'what the draining cost', rows: usageRows(usage, TASKS) });
    });
  },
};

function rates(from: number, endedAt: readonly number[], visibleAt: readonly number[]): Row[] {
  const rate = (times: readonly number[], part: number): number =>
    Math.round((TASKS * 1_000) / PARTS / (times[part]! - (times[part - 1] ?? from)));
  return endedAt.map((_, part) => ({
    tenth: part + 1,
    'ended on the log/s': rate(endedAt, part),
    'visible/s': rate(visibleAt, part),
  }));
}
