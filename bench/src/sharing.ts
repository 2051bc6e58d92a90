/**
 * `sharing`: tasks whose times differ a hundredfold, on four workers and a fifth that joins. Prints how much of the slots'
 * time was idle while work waited, and how soon the one that joined took work.
 */

import { startAnotherWorker } from './anotherWorker.ts';
import type { Benchmark } from './benchmark.ts';
import { batchBodies, submissions, submitBatches } from './load/batches.ts';
import { readTaskRuns, type TaskRun } from './taskRuns.ts';
import { waitUntilVisible } from './visible.ts';

const WORKERS = 4;
const SLOTS = 16;
const SHORTEST_MS = 20;
const LONGEST_MS = 2_000;

export const sharing: Benchmark = {
  name: 'sharing',
  about: `tasks of ${SHORTEST_MS} to ${LONGEST_MS} ms on ${WORKERS} workers with ${SLOTS} slots each, and one that joins`,
  sizes: [6_000],
  system: { workers: WORKERS, environment: { TASKFLOW_SLOTS: `noop=${SLOTS}` } },
  async run({ system, database, size }) {
    // Evenly on a logarithmic scale, in an order that is the same each time.
    const tasks = submissions(size, (index) => {
      const share = (index * 0.618_033_988_7) % 1;
      return { type: 'noop', payload: { sleepMs: Math.round(SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** share) } };
    });
    const bodies = batchBodies(tasks);
    // A broker that has just started compiles for half a minute, and takes a core for it.
    await submitBatches(system, bodies);
    await waitUntilVisible(database, 'noop', size);

    await submitBatches(system, bodies);
    const submittedAt = Date.now();
    await waitUntilVisible(database, 'noop', size + size / 3);
    const joined = await startAnotherWorker(system, { TASKFLOW_SLOTS: `noop=${SLOTS}` });
    try {
      await waitUntilVisible(database, 'noop', 2 * size);
    } finally {
      await joined.stop();
    }

    const runs = await readTaskRuns(system.addresses, 'noop');
    const lastStart = runs.at(-1)?.startedAt ?? Number.NaN;
    const firstOfJoined = runs.find(({ workerId }) => workerId.startsWith(`${joined.name}.`))?.startedAt ?? Number.NaN;
    const before = { from: submittedAt, to: joined.spawnedAt };
    const after = { from: firstOfJoined, to: lastStart };
    return [
      {
        title: `slots while work waits, ${size.toLocaleString('en-US')} tasks`,
        rows: [
          { workers: WORKERS, seconds: seconds(before), 'idle %': idlePercent(runs, before, WORKERS * SLOTS) },
          { workers: WORKERS + 1, seconds: seconds(after), 'idle %': idlePercent(runs, after, (WORKERS + 1) * SLOTS) },
        ],
      },
      {
        title: 'a worker joins, milliseconds',
        rows: [
          {
            'process start → ready': joined.readyAt - joined.spawnedAt,
            'process start → first task': firstOfJoined - joined.spawnedAt,
          },
        ],
      },
    ];
  },
};

interface Window {
  readonly from: number;
  readonly to: number;
}

function seconds({ from, to }: Window): number {
  return (to - from) / 1_000;
}

/** The share of the slots' time in the window in which no handler ran. */
function idlePercent(runs: readonly TaskRun[], { from, to }: Window, slots: number): number {
  let busy = 0;
  for (const { startedAt, endedAt } of runs) {
    busy += Math.max(0, Math.min(endedAt ?? to, to) - Math.max(startedAt, from));
  }
  return 100 * (1 - busy / (slots * (to - from)));
}
