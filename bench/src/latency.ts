/**
 * `latency`: one no-op task each 20 ms on an otherwise idle system. Submit to handler start is taken from the event's
 * time (whole milliseconds), submit to visible from the answer to `Prefer: wait`, HTTP both ways included.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool as HttpPool } from 'undici';
import type { Benchmark } from './benchmark.ts';
import { percentiles } from './percentiles.ts';

const INTERVAL_MS = 20;

interface ShownTask {
  readonly status: string;
  readonly startedAt: string;
}

export const latency: Benchmark = {
  name: 'latency',
  about: 'one no-op task each 20 ms: submit to handler start, submit to visible success',
  sizes: [500],
  async run({ system, size }) {
    const http = new HttpPool(system.apiUrl, { connections: 32 });
    const started: number[] = [];
    const visible: number[] = [];
    const body = JSON.stringify({ type: 'noop', payload: {} });
    const headers = {
      authorization: `Bearer ${system.key}`,
      'content-type': 'application/json',
      prefer: 'wait=10',
    };
    const submitOne = async (): Promise<void> => {
      const submittedAt = performance.timeOrigin + performance.now();
      const answer = await http.request({ method: 'POST', path: '/tasks', headers, body });
      const task = (await answer.body.json()) as ShownTask;
      if (answer.statusCode !== 201 || task.status !== 'success') {
        throw new Error(`POST /tasks answered ${answer.statusCode}: ${JSON.stringify(task)}`);
      }
      visible.push(performance.timeOrigin + performance.now() - submittedAt);
      started.push(Math.max(0, Date.parse(task.startedAt) - submittedAt));
    };
    await submitOne(); // connections and caches of the first request are not what is measured
    started.length = 0;
    visible.length = 0;
    const running: Promise<void>[] = [];
    for (let index = 0; index < size; index++) {
      running.push(submitOne());
      await delay(INTERVAL_MS);
    }
    await Promise.all(running);
    await http.close();
    return [
      {
        title: `latency of ${size} tasks, milliseconds`,
        rows: [
          { 'submit →': 'handler start', ...percentiles(started) },
          { 'submit →': 'visible success', ...percentiles(visible) },
        ],
      },
    ];
  },
};
