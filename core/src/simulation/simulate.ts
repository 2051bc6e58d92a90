import { hasEnded } from '@taskflow/schemas/fold';
import { type ProtocolValues, protocolDefaults } from '../protocolValues.ts';
import { Broker } from './broker.ts';
import { type ExtraStart, fold, judge, logsByTask } from './checker.ts';
import { Client } from './client.ts';
import { Database } from './database.ts';
import { planFaults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { Random } from './random.ts';
import { planTasks, type Scenario, scenarioOf } from './scenario.ts';
import { storyOf } from './story.ts';
import { Timeline } from './timeline.ts';
import { Watchdog } from './watchdogLoop.ts';
import type { HandlerStart, World } from './world.ts';

export interface Report {
  readonly seed: number;
  readonly scenario: Scenario;
  /** What must not be; empty in a good run. */
  readonly faults: readonly string[];
  readonly attempts: number;
  readonly starts: number;
  readonly extra: readonly ExtraStart[];
  readonly statuses: ReadonlyMap<string, number>;
  /** Tasks given up as WORKER_LOST that kill no process. */
  readonly innocents: readonly string[];
  /** Failures that came to the log though somebody else had started the attempt, or a later one. */
  readonly zombieFailures: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly archived: number;
  /** Of simulated time. */
  readonly seconds: number;
  /** All that happened to a task, and to the processes that ran it. */
  story(taskId: string): string[];
}

const eventsPartitions = 2;

/** One run of the whole protocol: the same seed gives the same run. */
export function simulate(seed: number): Report {
  const random = new Random(seed);
  const timeline = new Timeline();
  const scenario = scenarioOf(random);
  const values: ProtocolValues = { ...protocolDefaults, maxRecordLocks: scenario.maxRecordLocks };
  const broker = new Broker(
    { lockMs: values.lockMs, maxRecordLocks: values.maxRecordLocks, eventsPartitions },
    timeline,
    random,
  );
  const counts = new Map<string, number>();
  const starts: HandlerStart[] = [];
  let ids = 0;
  const world: World = {
    timeline,
    random,
    broker,
    values,
    takeover: scenario.takeover,
    lossRate: 0,
    starts,
    nextId: () => `01999999-0000-7000-8000-${(++ids).toString(16).padStart(12, '0')}`,
    poisoned(process) {
      if (!process.alive) return;
      process.kill();
      fleet.replace(process, scenario.slots, random.between(500, 3_000));
    },
    count: (what) => counts.set(what, (counts.get(what) ?? 0) + 1),
  };
  const database = new Database(timeline, random.chance(0.3) ? random.between(-3_000, 3_000) : 0);
  const fleet = new Fleet(world, database);
  const client = new Client(world, 'api');
  for (let i = 0; i < scenario.workers; i++) fleet.addWorker(scenario.slots);
  for (let i = 0; i < scenario.orchestrators; i++) fleet.addOrchestrator();
  const watchdog = new Watchdog(world, database, client);
  const begun = timeline.now;
  const quietAt = begun + planTasks(world, scenario, client);
  const faultsEnd = planFaults(scenario.faults, scenario.submitForMs + 60_000, {
    world,
    fleet,
    client,
    slots: scenario.slots,
  });
  const isDone = (): boolean =>
    timeline.now >= Math.max(quietAt, faultsEnd) &&
    broker.group.lag === 0 &&
    database.outbox.size === 0 &&
    [...database.rows.values()].every(({ timer }) => timer === null) &&
    [...logsByTask(broker).values()].every((log) => hasEnded(fold(log).status));
  timeline.run(isDone, Math.max(quietAt, faultsEnd) + 1_200_000);
  const verdict = judge(broker, client.accepted, starts, random);
  const faults = [...verdict.faults];
  faults.push(...watchdog.recovered.map((taskId) => `${taskId} was found by the watchdog`));
  if (scenario.isHealthy) faults.push(...needless(verdict.extra));
  return {
    seed,
    scenario,
    faults,
    attempts: verdict.attempts,
    starts: starts.length,
    extra: verdict.extra,
    statuses: verdict.statuses,
    innocents: verdict.innocents,
    zombieFailures: verdict.zombieFailures,
    counts,
    archived: broker.group.archived,
    seconds: Math.round((timeline.now - begun) / 1000),
    story: (taskId) => storyOf(taskId, begun, broker, starts, [...fleet.workers, ...fleet.orchestrators]),
  };
}

/** Where nothing goes wrong only a cancel that is under way explains an extra start. */
function needless(extra: readonly ExtraStart[]): string[] {
  const unexplained = extra.filter(({ because }) => because !== 'cancelled');
  return unexplained.map(({ kind, start }) => `${start.taskId} was started ${kind}, without any fault`);
}
