import { BrokerUnavailableError, RecordTooLargeError, UnknownTopicError } from '@taskflow/log/errors';
import type { TaskFailed, TaskStarted, TaskSucceeded } from '@taskflow/schemas/events';
import { expect } from 'chai';
import { FakeQueue, queued, testCodec } from '../testing/fakeLog.ts';
import { deferred, sampleTask, startTestWorker, type TestWorker } from '../testing/testWorker.ts';

/** Task n of a test. */
const id = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const task = (n: number, payload: unknown = { n }, more: Parameters<typeof queued>[0] = {}) =>
  queued({ taskId: id(n), ...more, task: { payload: JSON.stringify(payload), maxAttempts: 1, ...more.task } });
const ended = (count: number) => (events: readonly { event: string }[]) =>
  events.filter(({ event }) => event === 'TaskSucceeded' || event === 'TaskFailed').length >= count;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the worker', () => {
  let worker: TestWorker;
  const start = (...parameters: Parameters<typeof startTestWorker>) => {
    worker = startTestWorker(...parameters);
    return worker;
  };
  const outcome = () => worker.log.events.at(-1) as unknown as Omit<TaskSucceeded, 'event'> & Omit<TaskFailed, 'event'>;
  afterEach(() => worker.stop());

  it('runs a task: started, succeeded, accepted', async () => {
    const { queues, log } = start(sampleTask(({ payload }) => ({ twice: (payload.n as number) * 2 })));
    queues.normal.put(task(21));
    await log.until(ended(1));
    await turn();
    expect(log.names).to.deep.equal(['TaskStarted', 'TaskSucceeded']);
    const [started, succeeded] = log.events as [TaskStarted, TaskSucceeded];
    expect(started).to.include({
      taskId: id(21),
      workerId: 'worker-1.1.test',
      delivery: 1,
      starts: 1,
      queueOffset: 0,
      queuePartition: 0,
    });
    expect(succeeded.result).to.include({ storage: 'inline', value: '{"twice":42}', ref: null, size: 12 });
    expect(log.appends[0]!.map(({ topic, partition, key }) => ({ topic, partition, key }))).to.deep.equal([
      { topic: 'taskflow.events.sample.normal', partition: 0, key: id(21) },
      { topic: 'taskflow.events.sample.normal', partition: 0, key: id(21) },
    ]);
    expect(queues.normal.accepted).to.deep.equal([0]);
  });

  it('appends the events of a whole fetch at once when handlers wait for nothing', async () => {
    const { queues, log } = start(
      sampleTask(() => null),
      { slots: 100 },
    );
    queues.normal.put(...Array.from({ length: 50 }, (_, n) => task(n)));
    await log.until(ended(50));
    expect(log.appends.length).to.be.below(5);
  });

  it('accepts only after the outcome is acknowledged', async () => {
    const { queues, log } = start(sampleTask(() => null));
    let failures = 0;
    log.fail = () => {
      expect(queues.normal.accepted).to.deep.equal([]);
      return failures++ < 2 ? new BrokerUnavailableError('away') : undefined;
    };
    queues.normal.put(task(1));
    await log.until(ended(1));
    await turn();
    expect(failures).to.equal(3);
    expect(queues.normal.accepted).to.deep.equal([0]);
  });

  it('keeps a result that is queried under a reference', async () => {
    const { log, queues } = start(sampleTask(() => ({ title: 'x' }), { inline: false }));
    queues.normal.put(task(1));
    await log.until(ended(1));
    expect(outcome().result).to.include({
      storage: 'mongo',
      value: '{"title":"x"}',
      ref: `${id(1)}.0.1.worker-1.1.test`,
    });
  });

  describe('never takes more than it has slots', () => {
    it('in one fetch', async () => {
      const gate = deferred();
      let running = 0;
      let most = 0;
      const { queues, log } = start(
        sampleTask(async () => {
          most = Math.max(most, ++running);
          await gate.promise;
          running--;
          return null;
        }),
        { slots: 4 },
      );
      for (const priority of ['high', 'normal', 'low'] as const) {
        queues[priority].put(...Array.from({ length: 20 }, (_, n) => task(n, {}, { priority })));
      }
      await log.until((events) => events.length >= 4);
      for (let i = 0; i < 20; i++) await turn();
      expect(running).to.equal(4);
      expect(log.events.filter(({ event }) => event === 'TaskStarted')).to.have.length(4);
      gate.resolve();
      await log.until(ended(60));
      expect(most).to.equal(4);
    });

    it('with one slot and three queues', async () => {
      let running = 0;
      const { queues, log } = start(
        sampleTask(async () => {
          expect(++running).to.equal(1);
          await turn();
          running--;
          return null;
        }),
        { slots: 1 },
      );
      for (const priority of ['low', 'normal', 'high'] as const)
        queues[priority].put(task(1, {}, { priority }), task(2, {}, { priority }));
      await log.until(ended(6));
      for (const { maxRecords } of worker.queueSet.asked) expect(maxRecords).to.equal(1);
      expect(log.names.filter((name) => name.startsWith('TaskFailed'))).to.deep.equal([]);
    });
  });

  describe('where slots come free all the time', () => {
    /** Short tasks, then some that wait for the gate: resolves when those have all slots, and more are in hand. */
    async function withRecordsInHand(options: { graceMs?: number } = {}) {
      const gate = deferred();
      const run = { begun: 0, running: 0, most: 0, mostInHand: 0 };
      const inHand = () => worker.queueSet.asked.reduce((sum, { given }) => sum + given, 0) - run.begun;
      const { queues, log } = start(
        sampleTask(async ({ payload }) => {
          run.begun++;
          run.most = Math.max(run.most, ++run.running);
          run.mostInHand = Math.max(run.mostInHand, inHand());
          await (payload.waits ? gate.promise : new Promise((resolve) => setTimeout(resolve, 5)));
          run.running--;
          return null;
        }),
        { slots: 8, ...options },
      );
      queues.normal.put(...Array.from({ length: 160 }, (_, n) => task(n)));
      queues.normal.put(...Array.from({ length: 20 }, (_, n) => task(160 + n, { waits: true })));
      await log.until(ended(160));
      while (run.running < 8 || inHand() === 0) await turn();
      return { queues, log, gate, run, inHand };
    }

    it('has the next records in hand, and runs no more than it has slots', async () => {
      const { log, gate, run } = await withRecordsInHand();
      gate.resolve();
      await log.until(ended(180));
      expect(run).to.include({ begun: 180, most: 8 });
      expect(run.mostInHand).to.be.within(1, 2 + 8); // a fetch is counted before its runs begin
    });

    it('gives back what stays in hand', async () => {
      const { queues, gate, run, inHand } = await withRecordsInHand();
      const held = inHand();
      while (queues.normal.released.length < held) await turn();
      expect(run.begun).to.equal(168);
      gate.resolve();
    });

    it('gives back what is in hand when it stops', async () => {
      const { queues, gate, inHand } = await withRecordsInHand({ graceMs: 0 });
      const held = inHand();
      await worker.stop();
      expect(queues.normal.released).to.have.length(8 + held);
      gate.resolve();
    });

    it('drops what is in hand when the session is lost: others are to have it', async () => {
      const { log, gate, run, inHand } = await withRecordsInHand();
      const dropped = inHand();
      worker.loseSession('normal');
      gate.resolve();
      await log.until(ended(180 - dropped));
      for (let i = 0; i < 20; i++) await turn();
      expect(run.begun).to.equal(180 - dropped);
    });
  });

  it('takes the higher priority first', async () => {
    const order: string[] = [];
    const gate = deferred();
    const { queues, log } = start(
      sampleTask(async ({ taskId }) => {
        order.push(taskId);
        await gate.promise;
        return null;
      }),
      { slots: 1 },
    );
    queues.normal.put(task(1));
    await log.until((events) => events.length === 1);
    queues.low.put(task(4, {}, { priority: 'low' }));
    queues.normal.put(task(3));
    queues.high.put(task(2, {}, { priority: 'high' }));
    gate.resolve();
    await log.until(ended(4));
    expect(order).to.deep.equal([id(1), id(2), id(3), id(4)]);
  });

  describe('records that are no tasks', () => {
    it('are rejected, and their neighbours run', async () => {
      const { queues, log, metrics } = start(
        sampleTask(() => null),
        { slots: 10 },
      );
      queues.normal.put(Buffer.from('garbage'), Buffer.alloc(0), testCodec.encode(task(1)).subarray(0, 40));
      queues.normal.deliver(null, 3, 1);
      queues.normal.deliver(
        testCodec.encode({
          event: 'TypePaused',
          type: 'sample',
          reason: null,
          actor: null,
          eventId: id(9),
          occurredAt: 1,
        }),
        4,
        1,
      );
      queues.normal.deliver(testCodec.encode(task(5, {}, { type: 'other' })), 5, 1);
      queues.normal.deliver(testCodec.encode(task(6)), 6, 1);
      await log.until(ended(1));
      await turn();
      expect(queues.normal.rejected).to.deep.equal([0, 1, 2, 3, 4, 5]);
      expect(queues.normal.accepted).to.deep.equal([6]);
      const { body } = await metrics.render();
      expect(body).to.contain('worker_rejected_total{type="sample",reason="undecodable"} 4');
      expect(body).to.contain('worker_slots_in_use{type="sample"} 0');
    });

    const unknownSchema = () => {
      const value = Buffer.from(testCodec.encode(task(1)));
      value.writeUInt32BE(777, 1);
      return value;
    };
    it('of a schema that no registry knows are rejected', async () => {
      const asked = deferred<number>();
      const { queues } = start(
        sampleTask(() => null),
        {
          learnSchema: async (schemaId) => {
            asked.resolve(schemaId);
            return false;
          },
        },
      );
      queues.normal.put(unknownSchema());
      expect(await asked.promise).to.equal(777);
      await turn();
      expect(queues.normal.rejected).to.deep.equal([0]);
    });

    it('of a schema that cannot be asked for yet wait, and are given back on stop', async () => {
      const asked = deferred();
      const { queues } = start(
        sampleTask(() => null),
        {
          graceMs: 0,
          learnSchema: async () => {
            asked.resolve();
            throw new Error('registry away');
          },
        },
      );
      queues.normal.put(unknownSchema());
      await asked.promise;
      await worker.stop();
      expect(queues.normal).to.deep.include({ rejected: [], released: [0] });
    });
  });

  describe('locks', () => {
    it('are renewed while a handler runs', async () => {
      const gate = deferred();
      const { queues, log } = start(
        sampleTask(() => gate.promise),
        { protocol: { renewEveryMs: 100 } },
      );
      queues.normal.put(task(1));
      await log.until((events) => events.length === 1);
      while (queues.normal.renewed.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(queues.normal.renewed).to.deep.equal([0]);
      gate.resolve();
      await log.until(ended(1));
    });

    it('that have passed when the record is read start nothing: somebody else may have it', async () => {
      const { queues, log } = start(sampleTask(() => 1));
      queues.normal.deliver(testCodec.encode(task(1)), 0, 1, { lockedUntil: performance.now() - 1 });
      queues.normal.deliver(testCodec.encode(task(2)), 1, 1);
      await log.until(ended(1));
      await turn();
      expect(log.names).to.deep.equal(['TaskStarted', 'TaskSucceeded']);
      expect(queues.normal).to.deep.include({ accepted: [1], released: [] });
    });
  });

  it('keeps running what it is handed again, and accepts the newer delivery', async () => {
    const gate = deferred();
    let calls = 0;
    const { queues, log } = start(
      sampleTask(() => {
        calls++;
        return gate.promise;
      }),
    );
    queues.normal.put(task(1));
    await log.until((events) => events.length === 1);
    // After a restart the broker counts deliveries anew; a second delivery of a broker that did not restart says 2.
    for (const delivery of [2, 1]) queues.normal.deliver(testCodec.encode(task(1)), 0, delivery);
    while (worker.queueSet.asked.reduce((sum, { given }) => sum + given, 0) < 3) await turn();
    gate.resolve();
    await log.until(ended(1));
    await turn();
    expect(calls).to.equal(1);
    expect(log.names).to.deep.equal(['TaskStarted', 'TaskSucceeded']);
    expect(queues.normal.accepted).to.deep.equal([0]);
  });

  describe('on stop', () => {
    it('lets what runs end', async () => {
      const gate = deferred();
      const { queues, log } = start(sampleTask(() => gate.promise));
      queues.normal.put(task(1));
      await log.until((events) => events.length === 1);
      const stopped = worker.stop();
      queues.normal.put(task(2));
      gate.resolve();
      await stopped;
      expect(log.names).to.deep.equal(['TaskStarted', 'TaskSucceeded']);
      expect(queues.normal).to.deep.include({ accepted: [0], released: [] });
    });

    it('gives back what outlasts the grace, and tells its handler', async () => {
      const aborted = deferred<unknown>();
      const { queues, log } = start(
        sampleTask(({ signal }) => {
          signal.addEventListener('abort', () => aborted.resolve(signal.reason));
          return new Promise(() => {});
        }),
        { graceMs: 20 },
      );
      queues.normal.put(task(1));
      await log.until((events) => events.length === 1);
      await worker.stop();
      expect(await aborted.promise).to.include({ code: 'WORKER_STOPPED' });
      expect(queues.normal).to.deep.include({ accepted: [], released: [0] });
      expect(log.names).to.deep.equal(['TaskStarted']);
    });
  });

  it('gives back a record whose events have nowhere to go', async () => {
    const { queues, log, metrics } = start(sampleTask(() => null));
    const refused = deferred();
    log.fail = () => {
      refused.resolve();
      return new UnknownTopicError('taskflow.events.sample.normal');
    };
    queues.normal.put(task(1));
    await refused.promise;
    await turn();
    expect(queues.normal).to.deep.include({ accepted: [], released: [0] });
    expect((await metrics.render()).body).to.contain('worker_rejected_total{type="sample",reason="unrecordable"} 1');
    log.fail = undefined;
    queues.normal.put(task(2));
    await log.until(ended(1));
  });

  it('says RESULT_TOO_LARGE where the log refuses an outcome for its size', async () => {
    const { queues, log } = start(sampleTask(() => 'x'.repeat(60_000)));
    log.fail = (records) =>
      records.some(({ value }) => value.length > 50_000)
        ? new RecordTooLargeError('taskflow.events.sample.normal', 60_000, 50_000)
        : undefined;
    queues.normal.put(task(1));
    await log.until(ended(1));
    await turn();
    expect(log.names.at(-1)).to.equal('TaskFailed RESULT_TOO_LARGE');
    expect(queues.normal.accepted).to.deep.equal([0]);
  });

  it('goes on when the queues could not be read', async () => {
    const { queues, queueSet, log } = start(sampleTask(() => null));
    queueSet.failNext = new Error('no queue today');
    queues.normal.put(task(1));
    await log.until(ended(1));
    queues.normal.put(task(2));
    await log.until(ended(2));
    expect(queueSet.failNext).to.equal(undefined);
  });

  it('says that it is well, and what is not', async () => {
    const { readiness, queues } = start(sampleTask(() => null));
    expect((await readiness.report()).status).to.equal('ready');
    queues.low.health = () => ({ ...new FakeQueue().health(), assignedPartitions: 0 });
    const { status, checks } = await readiness.report();
    expect(status).to.equal('not-ready');
    expect(JSON.stringify(checks)).to.contain('sample.low has no assignment');
  });
});
