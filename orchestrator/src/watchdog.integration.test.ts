import type { TaskEvent, TaskFailed, TaskQueued } from '@taskflow/schemas/events';
import { queueTopic } from '@taskflow/schemas/topics';
import { silentLogger } from '@taskflow/service/logger';
import { expect } from 'chai';
import { type FoldedLog, foldedLog } from './testing/foldedLog.ts';
import { type OrchestratorFixture, openFixture } from './testing/orchestratorFixture.ts';
import { eventsOf, task } from './testing/taskEvents.ts';
import { Watchdog } from './watchdog/watchdog.ts';

describe('the watchdog', () => {
  let fixture: OrchestratorFixture;
  let type: string;
  let log: FoldedLog;
  let recovered: TaskEvent[];

  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());
  beforeEach(async () => {
    type = await fixture.newType();
    log = foldedLog(fixture, type);
    recovered = [];
  });

  const queue = (): string => queueTopic(type, 'normal');
  const trim = async (offset: number): Promise<void> => {
    const admin = fixture.cluster.kafkajs.admin();
    await admin.connect();
    await admin.fetchTopicOffsets(queue()); // kafkajs must have heard of the topic
    await admin.deleteTopicRecords({ topic: queue(), partitions: [{ partition: 0, offset: String(offset) }] });
    await admin.disconnect();
  };
  const watchdog = (changes: { maxRecoveries?: number; lanes?: number[] } = {}) =>
    new Watchdog({
      ...{ pool: fixture.pool, cluster: fixture.cluster, codec: fixture.registry.codec, logger: silentLogger },
      values: { maxRecoveries: changes.maxRecoveries ?? 5, watchdogAfterMs: 0 },
      queues: () => [{ type, priority: 'normal' }],
      lanes: () => (changes.lanes ?? [0, 1]).map((eventsPartition) => ({ type, priority: 'normal', eventsPartition })),
      onRecovering: () => {},
      onRecovered: (rows) => recovered.push(...rows.map(({ event }) => event)),
    });
  /** The first round only notes how far the queues are. */
  const twoRounds = async (it = watchdog()): Promise<number> => {
    expect(await it.round()).to.equal(0);
    return it.round();
  };

  it('queues again what was accepted without a trace, once', async () => {
    const [lost, started] = [eventsOf(type, undefined, 1), eventsOf(type)];
    await log.append(lost.queued(1, { failures: 0, recoveries: 2 }), started.queued(2), started.started(2));
    await log.readAll();
    await log.accept(2);
    const it = watchdog();
    expect(await twoRounds(it)).to.equal(2);
    const byTask = new Map((recovered as TaskQueued[]).map((event) => [event.taskId, event]));
    const common = { event: 'TaskQueued', cause: 'recover', check: true, generation: 0 };
    expect(byTask.get(lost.taskId)).to.deep.include({
      ...common,
      attempt: 2,
      failures: 0,
      recoveries: 3,
      eventsPartition: 1,
      task,
    });
    expect(byTask.get(started.taskId)).to.deep.include({
      ...common,
      attempt: 3,
      failures: 1,
      recoveries: 1,
      eventsPartition: 0,
      task,
    });
    // Its record is not in the view yet, and its row in the outbox is gone.
    await fixture.pool.query('delete from outbox where type = $1', [type]);
    expect(await it.round()).to.equal(0);
  });

  it('finds nothing where all is well', async () => {
    const [ended, retried, leased, waiting] = [eventsOf(type), eventsOf(type), eventsOf(type), eventsOf(type)];
    await log.append(
      ended.queued(),
      retried.queued(),
      leased.queued(),
      ended.started(),
      retried.started(),
      leased.started(),
    );
    await log.append(ended.succeeded(), retried.retry(1, 3_600_000), leased.heartbeat(1, { task, leaseMs: 3_600_000 }));
    await log.append(waiting.queued());
    await log.readAll();
    await log.accept(3);
    expect(await twoRounds()).to.equal(0);
  });

  it('waits until the views have seen what settled the record', async () => {
    const it = eventsOf(type);
    await log.append(it.queued());
    await log.readAll();
    await log.append(it.started(), it.succeeded());
    await log.accept(1);
    const dog = watchdog();
    expect(await twoRounds(dog)).to.equal(0);
    await log.readAll();
    expect(await dog.round()).to.equal(0);
    expect(await dog.round()).to.equal(0);
    expect(recovered).to.deep.equal([]);
  });

  it('leaves tasks of lanes that others read to others', async () => {
    const it = eventsOf(type, undefined, 1);
    await log.append(it.queued());
    await log.readAll();
    await log.accept(1);
    expect(await twoRounds(watchdog({ lanes: [0] }))).to.equal(0);
    expect(await twoRounds(watchdog({ lanes: [1] }))).to.equal(1);
  });

  it('takes from the view what the log has no more', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(), it.started(), it.retry(1, 0), it.queued(2), it.started(2));
    await log.readAll();
    await fixture.pool.query('delete from timers where task_id = $1', [it.taskId]);
    await trim(2);
    expect(await twoRounds()).to.equal(1);
    expect(recovered[0]).to.deep.include({
      taskId: it.taskId,
      attempt: 3,
      failures: 1,
      recoveries: 1,
      eventsPartition: 0,
      task,
    });
  });

  it('ends a task that was lost time after time', async () => {
    const it = eventsOf(type);
    await log.append(it.queued(1, { recoveries: 5 }));
    await log.readAll();
    await log.accept(1);
    expect(await twoRounds()).to.equal(1);
    const failed = recovered[0] as TaskFailed;
    expect(failed).to.include({ event: 'TaskFailed', taskId: it.taskId, attempt: 1 });
    expect(failed.error.code).to.equal('WORKER_LOST');
    expect(
      (await fixture.pool.query('select ended_at from timers where task_id = $1', [it.taskId])).rows[0].ended_at,
    ).to.be.a('number');
  });
});
