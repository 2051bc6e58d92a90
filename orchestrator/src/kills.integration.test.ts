import { freePorts } from '@taskflow/embedded/testing/freePorts';
import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { type ServiceProcess, startServiceProcess } from '@taskflow/service/testing/serviceProcess';
import { expect } from 'chai';
import { type OrchestratorFixture, openFixture } from './testing/orchestratorFixture.ts';
import { eventsOf, task } from './testing/taskEvents.ts';

describe('orchestrators, several of them, killed at any moment', () => {
  let fixture: OrchestratorFixture;
  const running: ServiceProcess[] = [];

  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((process) => process.kill()));
  });

  async function start(): Promise<ServiceProcess> {
    const process = startServiceProcess(new URL('main.ts', import.meta.url), {
      TASKFLOW_POSTGRES_URL: fixture.database.url,
      TASKFLOW_STATUS_PORT: String((await freePorts(1))[0]),
      TASKFLOW_GROUP_PREFIX: `test.${fixture.database.name}`,
    });
    running.push(process);
    return process;
  }

  const byTask = (events: readonly TaskEvent[]): Map<string, TaskQueued[]> => {
    const found = new Map<string, TaskQueued[]>();
    for (const event of events) {
      if (event.event === 'TaskQueued') found.set(event.taskId, [...(found.get(event.taskId) ?? []), event]);
    }
    return found;
  };
  /** Decided once each; a copy on the log says that it may be one. */
  const expectFiredOnce = (events: readonly TaskEvent[], taskIds: readonly string[]): void => {
    const fired = byTask(events);
    for (const taskId of taskIds) {
      const [first, ...copies] = fired.get(taskId) ?? [];
      expect(first, taskId).to.include({ attempt: 2 });
      for (const copy of copies) expect(copy).to.include({ eventId: first!.eventId, check: true });
    }
  };

  it('fire each timer once, and lose none', async () => {
    const type = await fixture.newType();
    const tasks = Array.from({ length: 300 }, (_, index) => eventsOf(type, undefined, index % 2));
    let appended = 0;
    /** Timers that are due over the next second. */
    const appendSome = async (count: number): Promise<void> => {
      const some = tasks.slice(appended, appended + count);
      appended += count;
      for (const partition of [0, 1]) {
        const events = some.flatMap((it, index) =>
          (appended + index) % 2 === partition ? [it.started(), it.retry(1, (index * 1_000) / count)] : [],
        );
        await fixture.append(events, partition);
      }
    };
    const [first, second] = [await start(), await start()];
    await Promise.all([first.ready(200), second.ready(200)]);
    await appendSome(100);
    await fixture.until(type, (log) => byTask(log).size > 20);
    await first.kill();
    await start();
    await appendSome(100);
    await fixture.until(type, (log) => byTask(log).size > 120);
    await second.kill();
    await appendSome(100);
    await fixture.until(type, (log) => byTask(log).size > 220);
    expect(await (await start()).ready(200)).to.include({ status: 'ready' });
    const events = await fixture.until(type, (log) => byTask(log).size === tasks.length);
    expectFiredOnce(
      events,
      tasks.map(({ taskId }) => taskId),
    );
    const { rows } = await fixture.pool.query(
      'select count(*)::int as count from timers where type = $1 and kind is not null',
      [type],
    );
    expect(rows).to.deep.equal([{ count: 0 }]);
  });

  it('start leases anew that ended while nobody read', async () => {
    const type = await fixture.newType();
    const it = eventsOf(type);
    const leaseMs = 3_600_000;
    const first = await start();
    await first.ready(200);
    await fixture.append([it.started(), it.heartbeat(1, { task, leaseMs })]);
    const lease = async (): Promise<{ due_at: number } | undefined> =>
      (await fixture.pool.query('select due_at from timers where task_id = $1', [it.taskId])).rows[0];
    while ((await lease()) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await first.stop()).to.equal(0);
    // As if it had been away for longer than that.
    await fixture.pool.query(`update timers set due_at = now() - interval '1 minute' where task_id = $1`, [it.taskId]);
    const before = Date.now();
    await (await start()).ready(200);
    while ((await lease())!.due_at < before) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await lease())!.due_at).to.be.at.least(before + leaseMs);
    expect((await fixture.read(type)).filter(({ event }) => event === 'TaskQueued')).to.deep.equal([]);
  });
});
