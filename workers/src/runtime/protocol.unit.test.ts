import { BrokerUnavailableError } from '@taskflow/log/errors';
import type {
  TaskEvent,
  TaskFailed,
  TaskflowRecord,
  TaskHeartbeat,
  TaskQueued,
  TaskRetryScheduled,
  TaskStarted,
} from '@taskflow/schemas/events';
import { expect } from 'chai';
import { FakeLog, queued, testCodec } from '../testing/fakeLog.ts';
import { deferred, sampleTask, startTestWorker, type TestWorker } from '../testing/testWorker.ts';

const id = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const task = (n: number, more: Parameters<typeof queued>[0] = {}) =>
  queued({ taskId: id(n), ...more, task: { payload: JSON.stringify({ n }), ...more.task } });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
};
const named =
  (name: string, count = 1) =>
  (events: readonly TaskflowRecord[]) =>
    events.filter(({ event }) => event === name).length >= count;

/** What another worker says of a task. */
const headOf = ({ taskId, generation, attempt, userId, type, priority }: TaskQueued) => ({
  taskId,
  generation,
  attempt,
  workerId: 'worker-2.2.else',
  eventId: '01890000-0000-7000-8000-00000000eeee',
  userId,
  type,
  priority,
  occurredAt: 1,
  runId: null,
  stepId: null,
});
const started = (of: TaskQueued, starts = 1, queueOffset = 0): TaskStarted => ({
  event: 'TaskStarted',
  ...headOf(of),
  delivery: 1,
  starts,
  leaseMs: 30_000,
  queuePartition: 0,
  queueOffset,
});
const ended = (of: TaskQueued): TaskFailed => ({
  event: 'TaskFailed',
  ...headOf(of),
  error: { code: 'X', message: '', retryable: false, details: null },
  failures: 1,
});

describe('the worker protocol', () => {
  let worker: TestWorker;
  const quick = { lookAgainMs: 2, lookAgainAfterForgottenMs: 4 };
  const start = (run: Parameters<typeof sampleTask>[0], options: Parameters<typeof startTestWorker>[1] = {}) => {
    worker = startTestWorker(sampleTask(run), { ...options, protocol: { ...quick, ...options.protocol } });
    return worker;
  };
  const of = (log: FakeLog, n: number) => log.events.filter((event) => (event as TaskEvent).taskId === id(n));
  const redeliver = (n: number, delivery = 2, more: Parameters<typeof queued>[0] = {}) =>
    worker.queues.normal.deliver(testCodec.encode(task(n, more)), n, delivery);
  afterEach(() => worker.stop());

  describe('a record that may have run before', () => {
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
        if (log.scans.length === 1) {
          const { task: payload, failures, recoveries } = task(1);
          const more = { progress: null, note: null, task: payload, failures, recoveries, leaseMs: 30_000 };
          log.write({ event: 'TaskHeartbeat', ...headOf(task(1)), ...more });
        }
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

    it('is not run where its lock passes before its start is acknowledged', async () => {
      const log = new FakeLog();
      const { queues } = counting({ log });
      log.fail = () => {
        queues.normal.session.lost = true;
        return undefined;
      };
      redeliver(1);
      await log.until(named('TaskStarted'));
      await until(() => queues.normal.waiting.length === 0);
      for (let i = 0; i < 20; i++) await turn();
      expect(calls).to.deep.equal([]);
      expect(queues.normal.accepted).to.deep.equal([]);
    });

    it('is handed over in its starter’s name where effects cannot bear a second run', async () => {
      const log = new FakeLog();
      log.write(started(task(1), 1, 1));
      worker = startTestWorker(
        sampleTask(() => calls.push(1), { takeover: 'after-lease' }),
        { log, protocol: quick },
      );
      redeliver(1);
      await until(() => worker.queues.normal.accepted.length === 1);
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
      expect(of(log, 100).map(({ event }) => event)).to.deep.equal(['TaskStarted', 'TaskHeartbeat']);
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
    expect(of(log, 2)[1]).to.include({ event: 'TaskStarted', starts: 3 });
    gates[3]!.resolve();
    await log.until(named('TaskSucceeded', 4));
  });

  describe('a run', () => {
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
      expect(of(log, 0).map(({ event }) => event)).to.deep.equal(['TaskStarted', 'TaskStarted', 'TaskHeartbeat']);
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
      const retry = of(log, 1)[1] as TaskRetryScheduled;
      expect(retry).to.include({ event: 'TaskRetryScheduled', failures: 1 });
      expect(retry.retryAt - retry.occurredAt).to.be.within(0, 1_000);
      expect(retry.task).to.deep.equal(task(1).task);
      await until(() => queues.normal.accepted.length === 3);
    });

    it('that is handed over goes back through the log when the worker stops', async () => {
      const { queues, log } = start(() => new Promise(() => {}), { graceMs: 20, protocol: { handOverAfterMs: 50 } });
      queues.normal.put(task(1));
      await until(() => queues.normal.accepted.length === 1);
      await worker.stop();
      const retry = log.events.at(-1) as TaskRetryScheduled;
      expect(retry.event).to.equal('TaskRetryScheduled');
      expect(retry).to.deep.include({ failures: 0, retryAt: retry.occurredAt });
      expect(retry.error.code).to.equal('WORKER_STOPPED');
    });
  });

  describe('signals', () => {
    const signal = (name: 'TypePaused' | 'TypeResumed') => ({
      key: Buffer.from('sample'),
      value: testCodec.encode({
        event: name,
        type: 'sample',
        eventId: id(9),
        occurredAt: 1,
        ...(name === 'TypePaused' ? { reason: null, actor: null } : { actor: null }),
      } as TaskflowRecord),
    });
    const cancel = (n: number, generation = 0) => ({
      key: Buffer.from(id(n)),
      value: testCodec.encode({
        event: 'TaskCancelRequested',
        taskId: id(n),
        generation,
        eventId: id(9),
        type: 'sample',
        priority: 'normal',
        occurredAt: 1,
      }),
    });

    it('drop what is cancelled, up to its generation', async () => {
      const { queues, log, control } = start(() => null);
      await control.take([cancel(1, 1), cancel(4), { key: Buffer.from(id(4)), value: null }]);
      queues.normal.put(task(1), task(1, { generation: 1 }), task(1, { generation: 2 }), task(4));
      await until(() => queues.normal.accepted.length === 4);
      expect(log.events.filter(({ event }) => event === 'TaskSucceeded')).to.have.length(2);
      expect(of(log, 1).map((event) => (event as TaskEvent).generation)).to.deep.equal([2, 2]);
    });

    it('abort what is cancelled while it runs, say nothing of its outcome, and free its slot', async () => {
      const aborted = deferred<unknown>();
      const { queues, log, control } = start(
        ({ payload, signal: abort }) =>
          payload.n === 1
            ? new Promise((_, reject) =>
                abort.addEventListener('abort', () => {
                  aborted.resolve(abort.reason);
                  reject(abort.reason);
                }),
              )
            : null,
        { slots: 1 },
      );
      queues.normal.put(task(1), task(2));
      await log.until(named('TaskStarted'));
      await control.take([cancel(1)]);
      expect(await aborted.promise).to.include({ code: 'CANCELLED' });
      await log.until(named('TaskSucceeded'));
      await turn();
      expect(of(log, 1).map(({ event }) => event)).to.deep.equal(['TaskStarted']);
      expect(queues.normal.accepted).to.deep.equal([0, 1]);
    });

    it('keep a paused type from being fetched until it is resumed', async () => {
      const { queues, log, control, queueSet } = start(() => null);
      await control.take([signal('TypePaused')]);
      await until(() => queueSet.asked.length === 1); // the fetch that waited has ended
      queues.normal.put(task(1));
      for (let i = 0; i < 20; i++) await turn();
      expect(log.events).to.deep.equal([]);
      await control.take([signal('TypeResumed')]);
      await log.until(named('TaskSucceeded'));
    });

    it('survive a record that is none, and a pause that is taken back at once', async () => {
      const { queues, log, control } = start(() => null);
      await control.take([
        { key: Buffer.from('sample'), value: Buffer.from('garbage') },
        { key: Buffer.from(id(1)), value: testCodec.encode(task(1)) },
        { key: null, value: null },
      ]);
      await Promise.all([control.take([signal('TypePaused')]), control.take([signal('TypeResumed')])]);
      queues.normal.put(task(1));
      await log.until(named('TaskSucceeded'));
    });
  });

  it('gives up where no queue answers and nothing is in hand', async () => {
    const stuck = deferred<Error>();
    const { queues } = start(() => null, { stuckExitMs: 40, onStuck: stuck.resolve });
    for (const queue of Object.values(queues)) {
      queue.health = () => ({ assignedPartitions: 1, openSessions: 1, sinceFetchMs: 10_000, lastError: undefined });
    }
    expect((await stuck.promise).message).to.contain('No queue has answered');
  });
});
