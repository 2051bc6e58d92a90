import type { Client } from './client.ts';
import type { Fleet } from './fleet.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

interface Target {
  readonly world: World;
  readonly fleet: Fleet;
  readonly client: Client;
  /** Of a worker that takes the place of another. */
  readonly slots: number;
  /** How long it lasts, where it lasts. */
  readonly ms: number;
}

/** What can go wrong, or be done, while tasks run. */
const faults = {
  'kill worker': (target: Target) => kill(target, anyWorker(target), target.world.random.between(100, 10_000)),
  'freeze worker': (target: Target) => anyWorker(target)?.freeze(target.ms),
  'cut worker off': (target: Target) => anyWorker(target)?.cutOff(target.ms),
  'reset connections': (target: Target) => anyWorker(target)?.resetConnections(),
  'stop worker': (target: Target) => {
    const worker = anyWorker(target);
    if (!worker) return;
    worker.stop(target.world.random.pick([100, 10_000]));
    target.fleet.replace(worker, target.slots, 100);
  },
  'all workers away': (target: Target) => {
    for (const worker of target.fleet.livingWorkers) kill(target, worker, target.ms);
  },
  'restart broker': ({ world, fleet, client, ms }: Target) => {
    if (!world.broker.up) return;
    world.broker.stop();
    for (const process of [...fleet.workers, ...fleet.orchestrators, client]) process.resetConnections();
    world.timeline.after(ms, () => world.broker.restart());
  },
  'lose calls': ({ world, ms }: Target) => {
    world.lossRate = world.random.pick([0.01, 0.03, 0.1]);
    world.timeline.after(ms, () => {
      world.lossRate = 0;
    });
  },
  'kill orchestrator': (target: Target) =>
    kill(target, anyOrchestrator(target), target.world.random.between(100, 20_000)),
  'freeze orchestrator': (target: Target) => {
    anyOrchestrator(target)?.freeze(target.ms);
    target.world.timeline.after(target.world.random.between(0, target.ms), () => target.fleet.rebalance());
  },
  'cut orchestrator off': (target: Target) => anyOrchestrator(target)?.cutOff(target.ms),
  'all orchestrators away': (target: Target) => {
    for (const orchestrator of target.fleet.livingOrchestrators) kill(target, orchestrator, target.ms);
  },
  'rebalance orchestrators': ({ fleet }: Target) => fleet.rebalance(),
  'copy records': ({ world: { broker, random }, client }: Target) => {
    const records = broker.group.log.filter(({ queued }) => queued.cause === 'submit' || queued.cause === 'redrive');
    for (const { queued } of random.shuffled(records).slice(0, random.between(1, 5))) client.copy(queued);
  },
  'pause type': ({ world, client, ms }: Target) => {
    client.setPaused(true);
    world.timeline.after(ms, () => client.setPaused(false));
  },
};

export type FaultKind = keyof typeof faults;
export const faultKinds = Object.keys(faults) as FaultKind[];

/** Lets happen what the scenario names. Gives the time after which all is well again. */
export function planFaults(kinds: readonly FaultKind[], withinMs: number, target: Omit<Target, 'ms'>): number {
  const { random, timeline } = target.world;
  let end = timeline.now;
  for (const kind of kinds) {
    const after = random.between(0, withinMs);
    const ms = random.skewed(200, 90_000);
    end = Math.max(end, timeline.now + after + ms);
    timeline.after(after, () => faults[kind]({ ...target, ms }));
  }
  return end + 5_000;
}

function anyWorker({ world, fleet: { livingWorkers } }: Target) {
  return livingWorkers.length === 0 ? undefined : world.random.pick(livingWorkers);
}

function anyOrchestrator({ world, fleet: { livingOrchestrators } }: Target) {
  return livingOrchestrators.length === 0 ? undefined : world.random.pick(livingOrchestrators);
}

function kill({ fleet, slots }: Target, process: Process | undefined, replacedAfterMs: number): void {
  if (!process) return;
  process.kill();
  fleet.replace(process, slots, replacedAfterMs);
}
