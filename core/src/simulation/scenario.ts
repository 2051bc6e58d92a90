import type { Client } from './client.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import type { Random } from './random.ts';
import type { TaskPlan, World } from './world.ts';

/** What a run is like, drawn from its seed. */
export interface Scenario {
  readonly isHealthy: boolean;
  readonly workers: number;
  readonly slots: number;
  readonly orchestrators: number;
  readonly tasks: number;
  readonly maxRecordLocks: number;
  readonly takeover: 'at-once' | 'after-lease';
  readonly submitForMs: number;
  readonly longestMs: number;
  readonly poison: number;
  readonly faults: readonly FaultKind[];
}

export function scenarioOf(random: Random): Scenario {
  const isHealthy = random.chance(0.15);
  const kinds = random.shuffled(faultKinds).slice(0, random.between(1, faultKinds.length));
  const faults = isHealthy ? [] : Array.from({ length: random.between(1, 12) }, () => random.pick(kinds));
  return {
    isHealthy,
    workers: random.between(1, 4),
    slots: random.pick([1, 2, 4, 8, 16]),
    orchestrators: random.between(1, 3),
    tasks: random.between(5, 60),
    maxRecordLocks: random.pick([12, 24, 48, 200]),
    takeover: random.chance(0.8) ? 'at-once' : 'after-lease',
    submitForMs: random.skewed(100, 120_000),
    longestMs: random.pick([50, 5_000, 30_000, 90_000]),
    poison: isHealthy || random.chance(0.7) ? 0 : random.between(1, 2),
    faults,
  };
}

/** Submits, schedules, cancels and redrives. Gives how long after the beginning nothing of it comes any more. */
export function planTasks(world: World, scenario: Scenario, client: Client): number {
  const { random, timeline } = world;
  let quietMs = 0;
  const at = (ms: number, act: () => void): void => {
    quietMs = Math.max(quietMs, ms + 5_000);
    timeline.after(ms, act);
  };
  for (let n = 0; n < scenario.tasks; n++) {
    const taskId = `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
    const submitAt = random.between(0, scenario.submitForMs);
    const runAt = random.chance(0.15) ? timeline.now + submitAt + random.between(0, 30_000) : null;
    const plan = planOf(random, scenario, n);
    const options = {
      partition: random.between(0, world.broker.events.length - 1),
      runAt,
      expiresAt: random.chance(0.05) ? timeline.now + submitAt + random.between(0, 20_000) : null,
      maxAttempts: random.between(1, 4),
    };
    at(submitAt, () => client.submit(taskId, plan, options));
    if (random.chance(0.15)) at(submitAt + random.skewed(1, 60_000), () => client.cancel(taskId));
    if (random.chance(0.2)) {
      const again = submitAt + random.skewed(1_000, 120_000);
      at(again, () => client.redrive(taskId));
      at(again + 20, () => client.redrive(taskId));
    }
  }
  return quietMs;
}

function planOf(random: Random, scenario: Scenario, n: number): TaskPlan {
  const kills = n < scenario.poison ? random.pick([20, 500, 14_000]) : null;
  const fails = random.chance(0.25);
  return {
    durationMs: random.skewed(1, scenario.longestMs),
    failTimes: fails ? random.between(1, 4) : 0,
    retryable: random.chance(0.9),
    killsAfterMs: kills,
  };
}
