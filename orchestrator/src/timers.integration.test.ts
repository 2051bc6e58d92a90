import { protocolDefaults } from '@taskflow/core/protocolValues';
import type { TaskEvent, TaskFailed, TaskQueued } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { type OrchestratorFixture, openFixture } from './testing/orchestratorFixture.ts';
import { eventsOf, task, userId } from './testing/taskEvents.ts';
import { forgetEnded } from './timers/timerTable.ts';

const aDay = 86_400_000;
const isQueued = (event: TaskEvent): event is TaskQueued => event.event === 'TaskQueued';
const queuedOf = (events: readonly TaskEvent[], taskId: string): TaskQueued[] =>
  events.filter(isQueued).filter((event) => event.taskId === taskId);

describe('timers', () => {
  let fixture: OrchestratorFixture;
  let type: string;

  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture.close());
  beforeEach(async () => {
    type = await fixture.newType();
  });
  afterEach(() => fixture.stopAll());

  const rowOf = async (taskId: string) =>
    (await fixture.pool.query('select * from timers where task_id = $1', [taskId])).rows[0];
  const rowWhere = async (taskId: string, wanted: (row: Record<string, unknown> | undefined) => boolean) => {
    for (;;) {
      const row = await rowOf(taskId);
      if (wanted(row)) return row;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('queue the next attempt when its retry is due', async () => {
    const it = eventsOf(type, undefined, 1);
    const retry = it.retry(2, 200, { recoveries: 1 });
    await fixture.append([it.queued(), it.started(), it.retry(1, 0), it.queued(2), it.started(2), retry], 1);
    await fixture.start();
    const events = await fixture.until(type, (log) => log.some((event) => isQueued(event) && event.attempt === 3));
    const next = queuedOf(events, it.taskId).at(-1)!;
    expect(next).to.deep.include({
      taskId: it.taskId,
      generation: 0,
      attempt: 3,
      workerId: '',
      userId,
      type,
      priority: 'normal',
      runId: null,
      stepId: 'step-1',
      failures: 2,
      recoveries: 1,
      eventsPartition: 1,
      cause: 'retry',
      check: false,
    });
    expect(next.task).to.deep.equal(task);
    // By clocks of one machine: not before the delay has passed.
    expect(next.occurredAt).to.be.at.least(retry.retryAt);
    // The second attempt was queued before: its retry was not due any more when it was read.
    expect(queuedOf(events, it.taskId).map(({ attempt }) => attempt)).to.deep.equal([1, 2, 3]);
  });

  it('queue an attempt that a stopping worker gave back as a release, without a failure', async () => {
    const it = eventsOf(type);
    const error = { code: 'WORKER_STOPPED', message: 'It stopped', retryable: true, details: null };
    await fixture.start();
    await fixture.append([it.queued(), it.started(), it.retry(1, 0, { error, failures: 0 })]);
    const events = await fixture.until(type, (log) => queuedOf(log, it.taskId).length === 2);
    expect(queuedOf(events, it.taskId)[1]).to.include({ attempt: 2, cause: 'release', failures: 0 });
  });

  it('queue a task at the time that it was scheduled for', async () => {
    const [it, later, held] = [eventsOf(type), eventsOf(type), eventsOf(type)];
    const runAt = Date.now() + 300;
    await fixture.append([held.scheduled(null), later.scheduled(Date.now() + aDay), it.scheduled(runAt)]);
    await fixture.start();
    const events = await fixture.until(type, (log) => log.some(isQueued));
    expect(queuedOf(events, it.taskId)[0]).to.include({ attempt: 1, cause: 'schedule', eventsPartition: 0 });
    expect(queuedOf(events, it.taskId)[0]!.occurredAt).to.be.at.least(runAt);
    expect(events.filter(isQueued)).to.have.lengthOf(1);
    expect(await rowOf(held.taskId)).to.include({ kind: 'run', due_at: null });
  });

  it('recover a run whose lease ends, and no other', async () => {
    const [lost, alive] = [eventsOf(type), eventsOf(type)];
    await fixture.start();
    await fixture.append([
      ...[lost.queued(), lost.started(), alive.queued(), alive.started()],
      alive.heartbeat(1, { task, leaseMs: aDay }),
      lost.heartbeat(1, { task, leaseMs: 200, failures: 1 }),
    ]);
    const events = await fixture.until(type, (log) => queuedOf(log, lost.taskId).length === 2);
    expect(queuedOf(events, lost.taskId)[1]).to.include({
      attempt: 2,
      cause: 'recover',
      check: true,
      failures: 1,
      recoveries: 1,
    });
    expect(queuedOf(events, alive.taskId)).to.have.lengthOf(1);
  });

  it('push a lease back with each heartbeat', async () => {
    const it = eventsOf(type);
    await fixture.start();
    await fixture.append([it.queued(), it.started(), it.heartbeat(1, { task, leaseMs: aDay })]);
    const before = await rowWhere(it.taskId, (row) => row?.due_at != null);
    await fixture.append([it.heartbeat(1, { leaseMs: 2 * aDay })]);
    const after = await rowWhere(it.taskId, (row) => (row?.due_at as number) > before.due_at);
    expect(after.due_at - before.due_at).to.be.at.least(aDay);
    expect(after.lease_ms).to.equal(2 * aDay);
  });

  it('end a task whose runs are lost time after time', async () => {
    const it = eventsOf(type);
    await fixture.start({ values: { ...protocolDefaults, maxRecoveries: 2 } });
    await fixture.append([it.queued(), it.started(), it.heartbeat(1, { task, leaseMs: 50, failures: 1 })]);
    for (const attempt of [2, 3]) {
      await fixture.until(type, (log) => queuedOf(log, it.taskId).length === attempt);
      const heartbeat = it.heartbeat(attempt, { task, leaseMs: 50, failures: 1, recoveries: attempt - 1 });
      await fixture.append([it.started(attempt), heartbeat]);
    }
    const events = await fixture.until(type, (log) => log.some(({ event }) => event === 'TaskFailed'));
    const failed = events.find((event): event is TaskFailed => event.event === 'TaskFailed')!;
    expect(failed).to.include({ taskId: it.taskId, attempt: 3, failures: 1 });
    expect(failed.error).to.include({ code: 'WORKER_LOST', retryable: false });
    expect(queuedOf(events, it.taskId)).to.have.lengthOf(3);
    expect(await rowWhere(it.taskId, (row) => row?.ended_at != null)).to.include({
      kind: null,
      due_at: null,
      task: null,
    });
  });

  it('go with what ends their task, or runs it', async () => {
    const [ended, cancelled, running, fence] = [eventsOf(type), eventsOf(type), eventsOf(type), eventsOf(type)];
    await fixture.start();
    await fixture.append([
      ended.retry(1, 400),
      cancelled.scheduled(Date.now() + 400),
      running.retry(1, 400),
      ended.succeeded(1),
      cancelled.cancelled(),
      running.started(2),
      fence.retry(1, 500),
    ]);
    const events = await fixture.until(type, (log) => log.some(isQueued));
    expect(events.filter(isQueued).map(({ taskId }) => taskId)).to.deep.equal([fence.taskId]);
    expect((await rowOf(ended.taskId)).ended_at).to.be.a('number');
  });

  it('are not set by what is late', async () => {
    const [cancelled, retried, fence] = [eventsOf(type), eventsOf(type), eventsOf(type)];
    await fixture.append([cancelled.queued(), cancelled.started(), cancelled.cancelled(), cancelled.retry(1, 0)]);
    await fixture.append([retried.retry(1, 0)]);
    await fixture.start();
    await fixture.until(type, (log) => queuedOf(log, retried.taskId).length === 1);
    // A zombie of attempt 1, when attempt 2 has long been queued.
    await fixture.append([retried.heartbeat(1, { task, leaseMs: 10 }), retried.retry(1, 0), fence.retry(1, 100)]);
    const events = await fixture.until(type, (log) => queuedOf(log, fence.taskId).length === 1);
    expect(queuedOf(events, retried.taskId)).to.have.lengthOf(1);
    expect(queuedOf(events, cancelled.taskId).map(({ attempt }) => attempt)).to.deep.equal([1]);
  });

  it('cost a task that has none no row', async () => {
    const plain = Array.from({ length: 50 }, () => eventsOf(type));
    const fence = eventsOf(type);
    await fixture.start();
    await fixture.append(plain.flatMap((it) => [it.queued(), it.started(), it.heartbeat(), it.succeeded()]));
    await fixture.append([fence.retry(1, 0)]);
    await fixture.until(type, (log) => queuedOf(log, fence.taskId).length === 1);
    const { rows } = await fixture.pool.query('select task_id from timers where type = $1', [type]);
    expect(rows).to.deep.equal([{ task_id: fence.taskId }]);
  });

  it('forget a task some time after it ended', async () => {
    const [it, open] = [eventsOf(type), eventsOf(type)];
    await fixture.start();
    await fixture.append([open.scheduled(Date.now() + aDay), it.retry(1, aDay), it.succeeded()]);
    await rowWhere(it.taskId, (row) => row?.ended_at != null);
    await forgetEnded(fixture.pool, aDay);
    expect(await rowOf(it.taskId)).to.include({ task_id: it.taskId });
    await forgetEnded(fixture.pool, 0);
    expect(await rowOf(it.taskId)).to.equal(undefined);
    expect(await rowOf(open.taskId)).to.include({ kind: 'run' });
  });
});
