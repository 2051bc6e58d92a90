import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { verifyTasks } from './testing/logChecker.ts';
import { typescriptProbe } from './testing/probePrograms.ts';
import { ProbeWorkers, reportStarts } from './testing/probeWorkers.ts';
import type { ShownTask } from './testing/restClient.ts';
import { theSystem } from './testing/theSystem.ts';

/** For so long, unless TASKFLOW_E2E_STORM_MS says otherwise. */
const STORM_MS = Number(process.env.TASKFLOW_E2E_STORM_MS ?? 20_000);
const SEED = Number(process.env.TASKFLOW_E2E_STORM_SEED ?? Date.now() % 1_000_000);

/** The same numbers for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything at once, in an order that a seed decides: nothing is lost, nothing ends twice, whatever meets whatever. */
describe('TypeScript workers in a storm', function () {
  this.timeout(STORM_MS + 240_000);
  const { client, system } = theSystem();
  let probes: ProbeWorkers;
  before(async () => {
    probes = await ProbeWorkers.create(
      system(),
      // Leases outlast a restart of the broker; locks and hand-overs are short, so that more happens.
      { TASKFLOW_HAND_OVER_AFTER_MS: '2000', TASKFLOW_LEASE_MS: '15000', TASKFLOW_LOCK_RENEW_MS: '1000' },
      typescriptProbe,
    );
  });
  after(() => probes.stop());

  it(`killed, frozen and stopped at random, the broker too (seed ${SEED})`, async () => {
    const next = random(SEED);
    const supervised = await Promise.all(['probe-1', 'probe-2', 'probe-3'].map((name) => probes.supervise(name)));
    const submitted: string[] = [];
    const until = performance.now() + STORM_MS;
    const load = async () => {
      while (performance.now() < until) {
        const tasks = Array.from({ length: 20 }, () => ({
          type: probes.type,
          payload: { sleepMs: Math.floor(5 * 1_200 ** next()), failTimes: next() < 0.1 ? 1 : 0 },
          retry: { maxAttempts: 5, backoff: { baseMs: 200, factor: 2, capMs: 2_000 } },
        }));
        const answer = await client.post<{ items: ShownTask[] }>('/tasks/batch', { tasks });
        if (answer.status === 201) submitted.push(...answer.body.items.map(({ id }) => id));
        else expect(answer.status).to.equal(503);
        await delay(150);
      }
    };
    const counts = { killed: 0, frozen: 0, stopped: 0, broker: 0 };
    const frozen = new Set<number>();
    const trouble = async () => {
      const chance = random(SEED + 1);
      while (performance.now() < until) {
        await delay(500 + 2_000 * chance());
        const pid = supervised[Math.floor(chance() * supervised.length)]!.pids.at(-1)!;
        const what = chance();
        if (what < 0.08) {
          const broker = (await system().processes()).find(({ name }) => name === 'kafka');
          if (broker) signal(broker.pid, 'SIGKILL');
          counts.broker++;
        } else if (frozen.has(pid)) {
          signal(pid, 'SIGCONT');
          frozen.delete(pid);
        } else if (what < 0.4) {
          signal(pid, 'SIGSTOP');
          frozen.add(pid);
          counts.frozen++;
        } else if (what < 0.8) {
          signal(pid, 'SIGKILL');
          counts.killed++;
        } else {
          signal(pid, 'SIGTERM');
          counts.stopped++;
        }
      }
      for (const pid of frozen) signal(pid, 'SIGCONT');
    };
    await Promise.all([load(), trouble()]);
    const report = await verifyTasks(system().addresses, probes.type, submitted, 180_000);
    const starts = reportStarts(await probes.starts(), new Set(supervised.flatMap(({ pids }) => pids)));
    const statuses = Map.groupBy(submitted, (id) => report.states.get(id)!.status);
    console.log(
      `      ${submitted.length} tasks, ${starts.starts} handler starts, ${starts.again} of them again; ${JSON.stringify(counts)}; ${[...statuses].map(([status, ids]) => `${ids.length} ${status}`).join(', ')}`,
    );
    expect([...statuses.keys()]).to.deep.equal(['success']);
  });
});

/** It may have ended by itself just now. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
