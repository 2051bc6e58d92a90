/**
 * `latency`: one no-op task each 20 ms on an otherwise idle system. The handler's start is the event's own time, the end on
 * the log the broker's, both in whole milliseconds; visible is the answer to `Prefer: wait`, HTTP both ways included.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool as HttpPool } from 'undici';
import type { Benchmark } from './benchmark.ts';
import { markLog } from './log/ends.ts';
import { readTaskRuns } from './log/taskRuns.ts';
import { scaled } from './options.ts';
import { percentiles } from './percentiles.ts';
import { type BenchSystem, withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { TYPESCRIPT } from './system/workerKinds.ts';
import { startUsageMeter, usageRows } from './usageMeter.ts';

const INTERVAL_MS = 20;
const TASKS = scaled(1_000);
const UNCOUNTED = 100;

interface Seen {
  readonly taskId: string;
  /** Milliseconds since 1970, whole ones as those of the log. */
  readonly submittedAt: number;
  readonly visibleAfterMs: number;
}

export const latency: Benchmark = {
  name: 'latency',
  about: `one no-op task each ${INTERVAL_MS} ms: submit to handler start, to the end on the log, to visible success`,
  async run(report) {
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2);
      await warmUp(system, TYPESCRIPT.type, 2);
      const http = new HttpPool(system.apiUrl, { connections: 64 });
      try {
        await trickle(http, system, UNCOUNTED);
        const mark = await markLog(system, TYPESCRIPT.type);
        const meter = startUsageMeter(await system.measured());
        const seen = await trickle(http, system, TASKS);
        const usage = meter.read();
        meter.stop();

        const runs = new Map((await readTaskRuns(system, TYPESCRIPT.type, mark)).map((run) => [run.taskId, run]));
        const after = (at: 'startedAt' | 'endAppendedAt'): number[] =>
          seen.map(({ taskId, submittedAt }) => (runs.get(taskId)?.[at] ?? Number.NaN) - submittedAt);
        report({
          title: `${TASKS.toLocaleString('en-US')} tasks, one each ${INTERVAL_MS} ms, milliseconds`,
          rows: [
            { 'submit →': 'handler start', ...percentiles(after('startedAt')) },
            { 'submit →': 'end on the log', ...percentiles(after('endAppendedAt')) },
            { 'submit →': 'visible success', ...percentiles(seen.map(({ visibleAfterMs }) => visibleAfterMs)) },
          ],
        });
        report({ title: 'what each process used meanwhile', rows: usageRows(usage, TASKS) });
      } finally {
        await http.close();
      }
    });
  },
};

/** Submits a task each interval, whether or not those before have ended. */
async function trickle(http: HttpPool, system: BenchSystem, tasks: number): Promise<readonly Seen[]> {
  const running: Promise<Seen>[] = [];
  const begun = performance.now();
  for (let index = 0; index < tasks; index++) {
    running.push(submitAndWait(http, system));
    await delay(Math.max(0, begun + (index + 1) * INTERVAL_MS - performance.now()));
  }
  return Promise.all(running);
}

async function submitAndWait(http: HttpPool, { key }: BenchSystem): Promise<Seen> {
  const submittedAt = Date.now();
  const begun = performance.now();
  const { statusCode, body } = await http.request({
    method: 'POST',
    path: '/tasks',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', prefer: 'wait=10' },
    body: JSON.stringify({ type: TYPESCRIPT.type, payload: {} }),
  });
  const task = (await body.json()) as { readonly id: string; readonly status: string };
  const visibleAfterMs = performance.now() - begun;
  if (statusCode !== 201 || task.status !== 'success') {
    throw new Error(`POST /tasks answered ${statusCode}: ${JSON.stringify(task)}`);
  }
  return { taskId: task.id, submittedAt, visibleAfterMs };
}
