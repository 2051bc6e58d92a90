import { BrokerUnavailableError } from '@taskflow/log/errors';
import type { TaskRetryScheduled } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { testCodec } from '../testing/fakeLog.ts';
import { deferred } from '../testing/testWorker.ts';
import { eventsOf, named, started, task, turn, until, workerUnderTest } from '../testing/workerUnderTest.ts';

describe('a run', () => {
  const { start } = workerUnderTest();
  it('is handed over when it lasts, accepted, kept alive by heartbeats, and accepted no second time', async () => {
    const gate = deferred();
    const { queues, log } = start(() => gate.promise, { protocol: { handOverAfterMs: 60, leaseMs: 120 } });
    queues.normal.put(task(1));
    await log.until(named('TaskHeartbeat', 3));
    expect(queues.normal.accepted).to.deep.equal([0]);
    const [handOver, ...more] = log.events.filter((event) => event.event === 'TaskHeartbeat');
    expect(handOver!.task).to.deep.equal(task(1).task);
    expect(more.map((event) => event.task)).to.deep.equal(more.map(() => null));
    gate.resolve();
    await log.until(named('TaskSucceeded'));
    await turn();
    expect(queues.normal).to.deep.include({ accepted: [0], released: [], renewed: [] });
  });

  it('is handed over when its partition has moved a quarter of the window beyond it', async () => {
    const gate = deferred();
    const { queues, log } = start(({ payload }) => (payload.n === 0 ? gate.promise : null), {
      slots: 10,
      protocol: { maxRecordLocks: 40 },
    });
    queues.normal.put(...Array.from({ length: 20 }, (_, n) => task(n)));
    await log.until(named('TaskHeartbeat'));
    await until(() => queues.normal.accepted.length === 20);
    expect(queues.normal.accepted).to.include(0);
    gate.resolve();
    await log.until(named('TaskSucceeded', 20));
  });

  it('is handed over at once when its session is lost', async () => {
    const gate = deferred();
    const { queues, log, loseSession } = start(() => gate.promise);
    queues.normal.put(task(1));
    await log.until(named('TaskStarted'));
    loseSession('normal');
    await log.until(named('TaskHeartbeat'));
    gate.resolve();
    await log.until(named('TaskSucceeded'));
  });

  it('that somebody else took over meanwhile may still succeed, but neither fail nor be retried', async () => {
    const gates = [deferred(), deferred()];
    const { queues, log, loseSession, metrics } = start(async ({ payload }) => {
      await gates[payload.n as number]!.promise;
      if (payload.n === 0) throw new Error('too late');
      return null;
    });
    queues.normal.put(task(0), task(1));
    await log.until(named('TaskStarted', 2));
    log.write(started(task(0), 2, 0), started(task(1), 2, 1));
    loseSession('normal');
    await log.until(named('TaskHeartbeat', 2));
    await until(() => log.scans.length > 0);
    for (let i = 0; i < 20; i++) await turn();
    gates[0]!.resolve();
    gates[1]!.resolve();
    await log.until(named('TaskSucceeded'));
    await turn();
    expect(eventsOf(log, 0).map(({ event }) => event)).to.deep.equal(['TaskStarted', 'TaskStarted', 'TaskHeartbeat']);
    expect(queues.normal.accepted).to.not.include(0);
    expect((await metrics.render()).body).to.contain('worker_zombie_failures_total{type="sample"} 1');
  });

  it('that fails once its session is lost says so after its hand-over', async () => {
    const gate = deferred();
    const { queues, log, loseSession } = start(async () => {
      await gate.promise;
      throw new Error('no');
    });
    queues.normal.put(task(1, { task: { maxAttempts: 1 } }));
    await log.until(named('TaskStarted'));
    queues.normal.session.lost = true; // the failure is noticed before the loss
    gate.resolve();
    for (let i = 0; i < 3; i++) await turn();
    loseSession('normal');
    await log.until(named('TaskFailed'));
    expect(log.names).to.deep.equal(['TaskStarted', 'TaskHeartbeat', 'TaskFailed HANDLER_ERROR']);
  });

  it('whose failure waited while its lock passed says it only after a hand-over', async () => {
    const { queues, log, loseSession } = start(() => {
      throw new Error('no');
    });
    let appends = 0;
    log.fail = (records) => {
      if (appends++ > 0) return undefined;
      expect(records).to.have.length(2);
      loseSession('normal');
      return new BrokerUnavailableError('away');
    };
    queues.normal.put(task(1));
    await log.until(named('TaskRetryScheduled'));
    expect(log.names).to.deep.equal(['TaskStarted', 'TaskHeartbeat', 'TaskRetryScheduled']);
  });

  it('that is handed over and delivered again goes on, and is accepted', async () => {
    const gate = deferred();
    const { queues, log } = start(() => gate.promise, { protocol: { handOverAfterMs: 50 } });
    queues.normal.put(task(1));
    await log.until(named('TaskHeartbeat'));
    await until(() => queues.normal.accepted.length === 1);
    queues.normal.deliver(testCodec.encode(task(1)), 0, 2);
    await until(() => queues.normal.accepted.length === 2);
    gate.resolve();
    await log.until(named('TaskSucceeded'));
    expect(log.events.filter(({ event }) => event === 'TaskStarted')).to.have.length(1);
  });

  it('is retried after a delay within its backoff, as often as the task allows, unless its error is hopeless', async () => {
    const { queues, log } = start(() => {
      throw new Error('no');
    });
    queues.normal.put(task(1), task(2, { failures: 2 }), task(3, { task: { notRetryable: ['HANDLER_ERROR'] } }));
    await log.until(named('TaskFailed', 2));
    const retry = eventsOf(log, 1)[1] as TaskRetryScheduled;
    expect(retry).to.include({ event: 'TaskRetryScheduled', failures: 1 });
    expect(retry.retryAt - retry.occurredAt).to.be.within(0, 1_000);
    expect(retry.task).to.deep.equal(task(1).task);
    await until(() => queues.normal.accepted.length === 3);
  });

  it('that is handed over goes back through the log when the worker stops', async () => {
    const worker = start(() => new Promise(() => {}), { graceMs: 20, protocol: { handOverAfterMs: 50 } });
    const { queues, log } = worker;
    queues.normal.put(task(1));
    await until(() => queues.normal.accepted.length === 1);
    await worker.stop();
    const retry = log.events.at(-1) as TaskRetryScheduled;
    expect(retry.event).to.equal('TaskRetryScheduled');
    expect(retry).to.deep.include({ failures: 0, retryAt: retry.occurredAt });
    expect(retry.error.code).to.equal('WORKER_STOPPED');
  });
});
