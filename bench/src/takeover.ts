/**
 * `takeover`: `kill -9` of one of two loaded workers: how soon what it had in hand starts on the other one, for runs that the queue
 * still locks and for runs that were handed over to a lease on the log; and which tasks were started again without need.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark } from './benchmark.ts';
import { batchBodies, submissions, submitBatches } from './load/batches.ts';
import { markLog } from './log/ends.ts';
import { readTaskRuns } from './log/taskRuns.ts';
import { scaled } from './options.ts';
import { percentiles } from './percentiles.ts';
import { type BenchSystem, withSystem } from './system/benchSystem.ts';
import { warmUp } from './system/warmUp.ts';
import { TYPESCRIPT } from './system/workerKinds.ts';
import type { Row } from './table.ts';
import { takeoverOf } from './takeover/takeoverOf.ts';
import { waitUntilVisible } from './visible.ts';

const { type } = TYPESCRIPT;
const SLOTS = 200;
const CASES: readonly Case[] = [
  { shown: 'no-op tasks, many waiting', tasks: scaled(100_000), slots: 1_000, killAfterMs: 0 },
  { shown: 'tasks of 500 ms, many waiting', tasks: 3_000, slots: SLOTS, sleepMs: 500, killAfterMs: 1_200 },
  { shown: 'tasks of 2 s, none waiting', tasks: SLOTS, slots: SLOTS, sleepMs: 2_000, killAfterMs: 1_000 },
  { shown: 'tasks of 16 s, handed over', tasks: SLOTS, slots: SLOTS, sleepMs: 16_000, killAfterMs: 12_500 },
];

interface Case {
  readonly shown: string;
  readonly tasks: number;
  readonly slots: number;
  readonly sleepMs?: number;
  /** After the first tenth of the no-op tasks is visible, or the first start of others. */
  readonly killAfterMs: number;
}

export const takeover: Benchmark = {
  name: 'takeover',
  about: 'kill -9 of one of two loaded workers, until what it had in hand starts on the other',
  async run(report) {
    await withSystem(async (system) => {
      await system.startWorkers(TYPESCRIPT, 2);
      await warmUp(system, type);
      for (const each of CASES) {
        report({ title: `${each.shown}: kill → start elsewhere, milliseconds`, rows: [await killOnce(system, each)] });
      }
    });
  },
};

/** A worker of no-op tasks has nothing in hand at some moments: then another one is killed. */
async function killOnce(system: BenchSystem, each: Case): Promise<Row> {
  for (let attempt = 1; ; attempt++) {
    const row = await kill(system, each);
    if (Number(row['started elsewhere']) > 0 || attempt === 3) return row;
  }
}

async function kill(system: BenchSystem, { tasks, slots, sleepMs, killAfterMs }: Case): Promise<Row> {
  const { database } = system;
  const [victim] = await system.startWorkers(TYPESCRIPT, 2, { TASKFLOW_SLOTS: `${type}=${slots}` });
  await warmUp(system, type, 1);
  const before = await database.countSuccess(type);
  const mark = await markLog(system, type);
  const payload = sleepMs === undefined ? {} : { sleepMs };
  const bodies = batchBodies(submissions(tasks, () => ({ type, payload, timeoutMs: 120_000 })));
  const submitted = submitBatches(system, bodies);
  if (sleepMs === undefined) await waitUntilVisible(database, type, before + tasks / 10);
  else while ((await readTaskRuns(system, type, mark)).length === 0) await delay(20);
  await delay(killAfterMs);
  victim!.kill();
  const killedAt = Date.now();
  await submitted;
  await waitUntilVisible(database, type, before + tasks, 120_000);

  const runs = await readTaskRuns(system, type, mark);
  const { started, onlyGiven, waits, needless } = takeoverOf(runs, victim!.name, killedAt);
  return {
    tasks,
    'had started': started,
    'had only been given': onlyGiven,
    'started elsewhere': waits.length,
    'without need': needless,
    ...percentiles(waits),
  };
}
