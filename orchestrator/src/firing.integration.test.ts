import { applyToTimers, restartLease } from '@taskflow/core/timers';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { silentLogger } from '@taskflow/service/logger';
import { inTransaction } from '@taskflow/service/postgres';
import { expect } from 'chai';
import { type OrchestratorFixture, openFixture } from './testing/orchestratorFixture.ts';
import { eventsOf, task } from './testing/taskEvents.ts';
import { type FiredTimer, fireTimers } from './timers/fireTimers.ts';
import { FiringLoop, type ReadLane } from './timers/firingLoop.ts';
import { type LaneEnd, LaneEnds } from './timers/laneEnds.ts';
import { insertTimers, lockTimers, restartLeases } from './timers/timerTable.ts';

/** The loop on its own: the test says what was read, and what interrupted it. */
describe('firing', () => {
  let fixture: OrchestratorFixture;
  let type: string;
  let lane: ReadLane;

  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());
  beforeEach(async () => {
    type = await fixture.newType();
    lane = { lane: { type, priority: 'normal', eventsPartition: 0 }, interruptions: 0 };
  });

  const topic = (): string => eventsTopic(type, 'normal');
  /** Rows as the events make them, read at once. */
  const givenTimers = async (...events: ReturnType<ReturnType<typeof eventsOf>['retry' | 'heartbeat']>[]) => {
    const rows = events.map(
      (event) =>
        applyToTimers(
          undefined,
          { event, topic: topic(), partition: 0, offset: 0, appendedAt: Date.now() },
          Date.now(),
        )!,
    );
    await inTransaction(fixture.pool, (tx) => insertTimers(tx, rows));
    return rows;
  };
  const givenPosition = (next: number, of = topic()) =>
    fixture.pool.query(
      `insert into consumer_positions values ('orchestrator', $1, 0, $2)
       on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset`,
      [of, next],
    );
  const rowOf = (taskId: string) =>
    inTransaction(fixture.pool, async (tx) => (await lockTimers(tx, [taskId])).get(taskId));
  const loop = (onCycle: () => void = () => {}) => {
    const fired: FiredTimer[] = [];
    const firing = new FiringLoop({
      ...{ pool: fixture.pool, cluster: fixture.cluster, codec: fixture.registry.codec, logger: silentLogger },
      values: { maxRecoveries: 5 },
      check: { ok() {}, degraded() {}, failing() {} },
      lanes: () => [lane],
      flush: async () => onCycle(),
      onFired: (timers) => fired.push(...timers),
    });
    firing.start();
    return { fired, stop: () => firing.stop(), dueIn: (ms: number) => firing.dueIn(ms) };
  };
  const until = async (met: () => unknown): Promise<void> => {
    while (!met()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('waits until the partition is read past its end', async () => {
    const it = eventsOf(type);
    await fixture.append([it.started(), it.retry(1, 0)]);
    const [row] = await givenTimers(it.retry(1, 0));
    await givenPosition(1);
    let cycles = 0;
    const { fired, stop } = loop(() => {
      cycles += 1;
    });
    await until(() => cycles >= 5);
    expect(fired).to.deep.equal([]);
    await givenPosition(2);
    await until(() => fired.length === 1);
    await stop();
    expect(fired[0]!.before).to.deep.equal(row);
    expect(await rowOf(it.taskId)).to.deep.equal(fired[0]!.fired.row);
  });

  it('waits for the queue likewise', async () => {
    const it = eventsOf(type);
    await fixture.append([it.queued()]);
    await givenTimers(it.retry(1, 0));
    let cycles = 0;
    const { fired, stop } = loop(() => {
      cycles += 1;
    });
    await until(() => cycles >= 5);
    expect(fired).to.deep.equal([]);
    await givenPosition(0);
    await givenPosition(1, queueTopic(type, 'normal'));
    await until(() => fired.length === 1);
    await stop();
  });

  it('starts leases anew, and no other timers, after reading was interrupted', async () => {
    const [lease, retry] = [eventsOf(type), eventsOf(type)];
    await givenTimers(lease.heartbeat(1, { task, leaseMs: 3_600_000 }), retry.retry(1, 0));
    await fixture.pool.query(`update timers set due_at = now() - interval '1 second' where task_id = $1`, [
      lease.taskId,
    ]);
    await givenPosition(0);
    lane = { ...lane, interruptions: 1 };
    const { fired, stop } = loop();
    await until(() => fired.length === 1);
    await stop();
    expect(fired[0]!.before.taskId).to.equal(retry.taskId);
    expect((await rowOf(lease.taskId))!.timer!.due).to.be.greaterThan(Date.now() + 3_500_000);
  });

  it('fires no lease whose reading is interrupted while the ends are asked for', async () => {
    const lease = eventsOf(type);
    await givenTimers(lease.heartbeat(1, { task, leaseMs: 3_600_000 }));
    await fixture.pool.query(`update timers set due_at = now() - interval '1 second' where task_id = $1`, [
      lease.taskId,
    ]);
    await givenPosition(0);
    let cycles = 0;
    const { fired, stop, dueIn } = loop(() => {
      lane = { ...lane, interruptions: ++cycles };
    });
    await until(() => cycles === 1);
    const restarted = async () => (await rowOf(lease.taskId))!.timer!.due! > Date.now() + 3_500_000;
    while (!(await restarted())) dueIn(0);
    await stop();
    expect(fired).to.deep.equal([]);
  });

  it('starts leases anew as core does it for one', async () => {
    const events = [30_000, 0].map((leaseMs) => eventsOf(type).heartbeat(1, { task, leaseMs }));
    const [long, ended] = await givenTimers(...events);
    const before = Date.now();
    expect(await restartLeases(fixture.pool, [lane.lane])).to.equal(2);
    for (const row of [long!, ended!]) {
      const after = (await rowOf(row.taskId))!;
      const expected = restartLease(row, before);
      expect(after.timer!.due).to.be.within(expected.timer!.due!, restartLease(row, Date.now()).timer!.due!);
      expect({ ...after, timer: { ...after.timer!, due: 0 } }).to.deep.equal({
        ...row,
        timer: { ...row.timer!, due: 0 },
      });
    }
  });

  it('fires a timer once where two try at the same moment', async () => {
    const tasks = Array.from({ length: 50 }, () => eventsOf(type));
    await givenTimers(...tasks.map((it) => it.retry(1, 0)));
    await givenPosition(0);
    const { now } = (await fixture.pool.query<{ now: number }>('select clock_timestamp() as now')).rows[0]!;
    const ends = new LaneEnds(fixture.cluster);
    await ends.ask([{ lane: lane.lane, dueAt: 0 }], now + 60_000);
    const end = ends.get(lane.lane) as LaneEnd;
    const ports = { pool: fixture.pool, codec: fixture.registry.codec, values: { maxRecoveries: 5 } };
    const ids = tasks.map(({ taskId }) => taskId);
    const both = await Promise.all([1, 2].map(() => fireTimers(ports, ids, [end], new Map())));
    expect(both.map(({ fired }) => fired.length).toSorted((a, b) => a - b)).to.deep.equal([0, 50]);
    const { rows } = await fixture.pool.query('select task_id from outbox where type = $1', [type]);
    expect(rows.map(({ task_id }) => task_id)).to.have.members(ids);
  });

  it('sees a timer that was written while it slept', async () => {
    await givenPosition(0);
    const { fired, stop, dueIn } = loop();
    const it = eventsOf(type);
    await givenTimers(it.retry(1, 20));
    dueIn(20);
    await until(() => fired.length === 1);
    await stop();
    expect(fired[0]!.lateMs).to.be.at.least(0);
  });
});
