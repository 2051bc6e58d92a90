import type { TaskFailed, TaskHeartbeat, TaskRetryScheduled } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { FakeLog, testCodec } from '../testing/fakeLog.ts';
import { deferred, sampleTask, type startTestWorker } from '../testing/testWorker.ts';
import {
  ended,
  eventsOf,
  handedOver,
  named,
  started,
  task,
  turn,
  until,
  workerUnderTest,
} from '../testing/workerUnderTest.ts';

describe('a record that may have run before', () => {
  const { start, startType, redeliver } = workerUnderTest();
  let calls: number[];
  const counting = (options: Parameters<typeof startTestWorker>[1] = {}) =>
    start(({ payload }) => {
      calls.push(payload.n as number);
      return null;
    }, options);
  beforeEach(() => {
    calls = [];
  });

  it('runs where the log has nothing of it, its start acknowledged first', async () => {
    const { log, queues } = counting();
    redeliver(1);
    await log.until(named('TaskSucceeded'));
    await turn();
    expect(log.appends).to.have.length(2);
    expect(log.events[0]).to.include({ event: 'TaskStarted', delivery: 2, starts: 1, queueOffset: 1 });
    expect(log.scans.length).to.be.at.least(2);
    expect(queues.normal.accepted).to.deep.equal([1]);
  });

  it('counts the starts before it', async () => {
    const log = new FakeLog();
    log.write(started(task(1), 1, 1));
    counting({ log });
    redeliver(1);
    await log.until(named('TaskSucceeded'));
    expect(log.events[1]).to.include({ event: 'TaskStarted', starts: 2, workerId: 'worker-1.1.test' });
  });

  it('is accepted without a run where it has ended', async () => {
    const log = new FakeLog();
    log.write(started(task(1), 1, 1), ended(task(1)));
    const { queues } = counting({ log });
    redeliver(1);
    await until(() => queues.normal.accepted.length === 1);
    expect(calls).to.deep.equal([]);
    expect(log.events).to.have.length(2);
  });

  it('is accepted where another worker hands it over while it is left to it', async () => {
    const log = new FakeLog();
    log.write(started(task(1), 1, 1));
    const scan = log.scanEvents.bind(log);
    log.scanEvents = (...parameters) => {
      if (log.scans.length === 1) log.write(handedOver(task(1)));
      return scan(...parameters);
    };
    const { queues } = counting({ log });
    redeliver(1);
    await until(() => queues.normal.accepted.length === 1);
    expect(calls).to.deep.equal([]);
  });

  it('is accepted where somebody else was faster with the claim', async () => {
    const log = new FakeLog();
    const { queues } = counting({ log });
    log.fail = (records) => {
      log.fail = undefined;
      const event = testCodec.decode(records[0]!.value);
      if (event.event === 'TaskStarted') log.write(ended(task(1)));
      return undefined;
    };
    redeliver(1);
    await until(() => queues.normal.accepted.length === 1);
    expect(calls).to.deep.equal([]);
    expect(log.names).to.deep.equal(['TaskFailed X', 'TaskStarted']);
  });

  it('is handed over and run where its lock passes before its start is acknowledged', async () => {
    const log = new FakeLog();
    const { queues } = counting({ log });
    log.fail = () => {
      log.fail = undefined;
      queues.normal.session.lost = true; // nobody has heard of it yet
      return undefined;
    };
    redeliver(1);
    await log.until(named('TaskSucceeded'));
    expect(log.events.map(({ event }) => event)).to.deep.equal(['TaskStarted', 'TaskHeartbeat', 'TaskSucceeded']);
    expect(calls).to.deep.equal([1]);
  });

  for (const [name, isKnown] of [
    ['and nobody has heard of it yet', false],
    ['and its hand-over is under way', true],
  ] as const) {
    it(`is not run where its lock passes and somebody else starts it before, ${name}`, async () => {
      const log = new FakeLog();
      const { queues, loseSession } = counting({ log });
      log.fail = () => {
        log.fail = undefined;
        if (isKnown) loseSession('normal');
        else queues.normal.session.lost = true;
        log.write(started(task(1), 2, 1));
        return undefined;
      };
      redeliver(1);
      await log.until(named('TaskHeartbeat'));
      for (let i = 0; i < 20; i++) await turn();
      expect(calls).to.deep.equal([]);
      expect(queues.normal.accepted).to.deep.equal([]);
    });
  }

  it('is run once it is handed over where its session is lost while its start is under way', async () => {
    const log = new FakeLog();
    const { loseSession } = counting({ log });
    log.fail = () => {
      log.fail = undefined;
      loseSession('normal');
      return undefined;
    };
    redeliver(1);
    await log.until(named('TaskSucceeded'));
    expect(log.events.map(({ event }) => event)).to.deep.equal(['TaskStarted', 'TaskHeartbeat', 'TaskSucceeded']);
    expect(calls).to.deep.equal([1]);
  });

  it('is handed over in its starter’s name where effects cannot bear a second run', async () => {
    const log = new FakeLog();
    log.write(started(task(1), 1, 1));
    const { queues } = startType(
      sampleTask(() => calls.push(1), { takeover: 'after-lease' }),
      { log },
    );
    redeliver(1);
    await until(() => queues.normal.accepted.length === 1);
    const handOver = log.events.at(-1) as TaskHeartbeat;
    expect(handOver).to.include({ event: 'TaskHeartbeat', workerId: 'worker-2.2.else', leaseMs: 30_000 });
    expect(handOver.task).to.not.equal(null);
    expect(calls).to.deep.equal([]);
  });

  it('ends with WORKER_LOST after five starts', async () => {
    const log = new FakeLog();
    log.write(started(task(1), 5, 1));
    const { queues } = counting({ log });
    redeliver(1, 6);
    await until(() => queues.normal.accepted.length === 1);
    expect((log.events.at(-1) as TaskFailed).error).to.include({ code: 'WORKER_LOST', retryable: false });
    expect(calls).to.deep.equal([]);
  });

  it('is given back through the log at its eighth delivery', async () => {
    const { queues, log } = counting();
    redeliver(1, 8);
    await until(() => queues.normal.accepted.length === 1);
    const event = log.events.at(-1) as TaskRetryScheduled;
    expect(event.event).to.equal('TaskRetryScheduled');
    expect(event.error.code).to.equal('WORKER_STOPPED');
    expect(event.failures).to.equal(0);
    expect(calls).to.deep.equal([]);
  });

  it('is one that says so, and one of an older leader within two windows of the group’s start', async () => {
    const log = new FakeLog();
    log.start = 100;
    log.write(started(task(100_000), 1, 100_000), started(task(100), 1, 100));
    const { queues } = counting({ log, slots: 10, protocol: { maxRecordLocks: 1_000 } });
    queues.normal.session.leaderEpoch = 2;
    queues.normal.deliver(testCodec.encode(task(100)), 100, 1, { leaderEpoch: 1 });
    queues.normal.deliver(testCodec.encode(task(2_500)), 2_500, 1, { leaderEpoch: 1 });
    queues.normal.deliver(testCodec.encode(task(3_000, { check: true })), 3_000, 1, { leaderEpoch: 2 });
    queues.normal.deliver(testCodec.encode(task(3_001)), 3_001, 1, { leaderEpoch: 2 });
    // 100 is handed over in the name of the worker that started it: the leader may have forgotten its lock.
    await until(() => queues.normal.accepted.length === 4);
    expect(calls.slice(0, 2)).to.have.members([2_500, 3_001]);
    expect(calls).to.have.members([2_500, 3_000, 3_001]);
    expect(eventsOf(log, 100).map(({ event }) => event)).to.deep.equal(['TaskStarted', 'TaskHeartbeat']);
  });

  it('costs one scan for a whole fetch', async () => {
    const { log } = counting({ slots: 100 });
    for (let n = 0; n < 50; n++) redeliver(n);
    await log.until(named('TaskSucceeded', 50));
    expect(log.scans.length).to.be.below(8);
  });

  it('that stays undecided is given back', async () => {
    const log = new FakeLog();
    log.scanEvents = () => Promise.reject(new Error('nobody there'));
    const { queues } = counting({ log, protocol: { handOverAfterMs: 100 } });
    redeliver(1);
    await until(() => queues.normal.released.length === 1);
    expect(queues.normal.accepted).to.deep.equal([]);
    expect(calls).to.deep.equal([]);
  });

  it('lets what was started twice before run alone in its process', async () => {
    const log = new FakeLog();
    log.write(started(task(2), 2, 2));
    const gates = [deferred(), deferred(), deferred(), deferred()];
    const order: number[] = [];
    const { queues } = start(
      async ({ payload }) => {
        order.push(payload.n as number);
        await gates[payload.n as number]!.promise;
        return null;
      },
      { log, slots: 4 },
    );
    queues.normal.put(task(0), task(1));
    await until(() => order.length === 2);
    redeliver(2, 3);
    await log.until(named('TaskStarted', 3));
    await until(() => log.scans.length >= 2);
    queues.high.put(task(3, { priority: 'high' }));
    for (let i = 0; i < 20; i++) await turn();
    expect(order).to.deep.equal([0, 1]);
    gates[0]!.resolve();
    gates[1]!.resolve();
    await until(() => order.length === 3);
    for (let i = 0; i < 20; i++) await turn();
    expect(order).to.deep.equal([0, 1, 2]);
    gates[2]!.resolve();
    await until(() => order.length === 4);
    expect(eventsOf(log, 2)[1]).to.include({ event: 'TaskStarted', starts: 3 });
    gates[3]!.resolve();
    await log.until(named('TaskSucceeded', 4));
  });
});
