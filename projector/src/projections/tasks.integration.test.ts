import type { LogRecord } from '@taskflow/log/logRecord';
import { createCodec } from '@taskflow/schemas/codec';
import { recordNames } from '@taskflow/schemas/events';
import { taskEvent } from '@taskflow/schemas/testing/taskEvents';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import { createDecoding } from '@taskflow/service/decoding';
import { silentLogger } from '@taskflow/service/logger';
import { partitionKey, type TopicPartition } from '@taskflow/service/positions';
import type { Pool } from '@taskflow/service/postgres';
import type { TaskChange } from '@taskflow/service/taskChanges';
import { createTestDatabase, type TestDatabase } from '@taskflow/service/testing/testDatabase';
import { type FlushReport, TransactionalConsumer } from '@taskflow/service/transactionalConsumer';
import { expect } from 'chai';
import fc from 'fast-check';
import { expectCounts, expectView, foldOf } from '../testing/expectedView.ts';
import { type Addressed, randomLog } from '../testing/randomLog.ts';
import { VIEW_SESSION } from '../viewSession.ts';
import { tasksView } from './tasks.ts';

const codec = createCodec(new Map(recordNames.map((name, index) => [name, index + 1])));

/** The records of each partition, with consecutive offsets. */
function partitionsOf(log: readonly Addressed[]) {
  const partitions = new Map<string, { record: LogRecord; event: Addressed['event'] }[]>();
  for (const { topic, partition, event } of log) {
    const key = partitionKey(topic, partition);
    const records = partitions.get(key) ?? [];
    partitions.set(key, records);
    const value = codec.encode(event);
    const record = { topic, partition, offset: records.length, key: null, value, appendedAt: 0, leaderEpoch: 0 };
    records.push({ record, event });
  }
  return partitions;
}

type Partitions = ReturnType<typeof partitionsOf>;

describe('the view tasks', () => {
  let database: TestDatabase;
  let reading: Pool;
  before(async () => {
    database = await createTestDatabase(['service', 'projector']);
    reading = database.pool();
  });
  after(() => database.drop());
  beforeEach(() => reading.query('truncate tasks, task_counts, dead_letters, consumer_positions'));

  /** An instance of the projector, as far as it concerns this view; what it rereads it is given again. */
  function instance(options: { onFlush?: (flush: FlushReport) => void } = {}) {
    const changes: TaskChange[] = [];
    const view = tasksView({ onChanges: (changed) => changes.push(...changed) });
    const pool = database.pool({ session: VIEW_SESSION, pipeline: true, maxConnections: 1 });
    let rereads = 0;
    const consumer = new TransactionalConsumer({
      effects: { ...view, consumer: view.name },
      decoding: createDecoding({
        registry: { codec, learn: async () => false },
        wants: view.wants,
        select: view.select,
        logger: silentLogger,
        signal: new AbortController().signal,
      }),
      pool,
      logger: silentLogger,
      check: { ok() {}, degraded() {}, failing() {} },
      park: async () => {},
      reread: () => {
        rereads += 1;
      },
      pacing: { maxWaitMs: 2, enoughRecords: 40, idleRecords: 5, maxRecords: 100, maxBytes: 1e6, lingerMs: 0 },
      ...(options.onFlush && { onFlush: options.onFlush }),
    });
    return { consumer, changes, rereads: () => rereads };
  }

  /** Feeds an instance some partitions from their stored positions, in chunks that take turns. */
  async function feed(
    consumer: ReturnType<typeof instance>['consumer'],
    partitions: Partitions,
    chunk: number,
  ): Promise<void> {
    const owned: TopicPartition[] = [...partitions.values()].map((records) => records[0]!.record);
    const next = await consumer.positions(owned);
    const left = () => [...partitions].filter(([key, records]) => next.get(key)! < records.length);
    for (let waiting = left(); waiting.length > 0; waiting = left()) {
      for (const [key, records] of waiting) {
        const from = next.get(key)!;
        await consumer.take(records.slice(from, from + chunk).map(({ record }) => record));
        next.set(key, from + chunk);
      }
      await new Promise(setImmediate);
    }
    await consumer.flushed();
  }

  it('is the fold of the log, whatever is in it and however it is cut into batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomLog('noop', { tasks: 12, events: 120 }),
        fc.integer({ min: 1, max: 40 }),
        async (log, chunk) => {
          await reading.query('truncate tasks, task_counts, dead_letters, consumer_positions');
          const partitions = partitionsOf(log);
          const { consumer, changes } = instance();
          await feed(consumer, partitions, chunk);
          const expected = foldOf([...partitions.values()].flat());
          await expectView(reading, expected);
          const shown = [...expected.values()].filter((state) => state.submission !== null);
          expect(new Set(changes.map(([id]) => id))).to.deep.equal(new Set(shown.map((state) => state.id)));
          const last = new Map(changes.map(([id, version, status]) => [id, [version, status]]));
          for (const { id, version, status } of shown) expect(last.get(id)).to.deep.equal([version, status]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is the fold of the log when two instances write the same tasks at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomLog('noop', { tasks: 30, events: 300 }),
        fc.integer({ min: 1, max: 30 }),
        async (log, chunk) => {
          await reading.query('truncate tasks, task_counts, dead_letters, consumer_positions');
          const all = [...partitionsOf(log)];
          const halves = [0, 1].map((half) => new Map(all.filter((_, index) => index % 2 === half)));
          await Promise.all(halves.map((half) => feed(instance().consumer, half, chunk)));
          await expectView(reading, foldOf(all.flatMap(([, records]) => records)));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('is the fold of the log when its connections are cut again and again', async () => {
    const [log] = fc.sample(randomLog('noop', { tasks: 60, events: 1_500 }), { numRuns: 1, seed: 7 });
    const partitions = partitionsOf(log!);
    let flushes = 0;
    const cuts: Promise<void>[] = [];
    const { consumer } = instance({
      onFlush() {
        flushes += 1;
        if (flushes % 2 === 0 && cuts.length < 12) cuts.push(database.disconnectAll());
      },
    });
    await feed(consumer, partitions, 10);
    // A cut that hid the answer to a commit makes the instance read again.
    await Promise.all(cuts);
    await feed(consumer, partitions, 50);
    expect(cuts.length).to.be.greaterThan(2);
    await expectView(reading, foldOf([...partitions.values()].flat()));
  });

  it('keeps the error of the last attempt when a task is cancelled that waits for its retry', async () => {
    const log: Addressed[] = [
      { topic: queueTopic('noop', 'normal'), partition: 0, event: taskEvent('TaskQueued', { type: 'noop' }) },
      ...(['TaskStarted', 'TaskRetryScheduled', 'TaskCancelled'] as const).map((name) => ({
        topic: eventsTopic('noop', 'normal'),
        partition: 0,
        event: taskEvent(name, { type: 'noop' }),
      })),
    ];
    const partitions = partitionsOf(log);
    const { consumer } = instance();
    const beforeTheCancel = new Map([...partitions].map(([key, records]) => [key, records.slice(0, 2)]));
    await feed(consumer, beforeTheCancel, 10);
    await feed(consumer, partitions, 10);
    await expectView(reading, foldOf([...partitions.values()].flat()));
    const { rows } = await reading.query('select status, error_code from tasks');
    expect(rows).to.deep.equal([{ status: 'cancelled', error_code: 'HTTP_STATUS' }]);
  });

  it('neither shows nor counts a task before its submission has come', async () => {
    const [log] = fc.sample(randomLog('noop', { tasks: 5, events: 60 }), { numRuns: 1, seed: 3 });
    const partitions = [...partitionsOf(log!)];
    const { consumer, changes } = instance();
    const isQueue = ([key]: [string, unknown]) => key.includes('.queue.');
    const submits = ({ event }: Addressed) => event.event === 'TaskQueued' || event.event === 'TaskScheduled';
    const events = new Map(
      partitions
        .filter((entry) => !isQueue(entry))
        .map(([key, records]) => {
          const kept = records.filter((each) => !submits({ ...each.record, event: each.event }));
          return [key, kept.map(({ record, event }, offset) => ({ record: { ...record, offset }, event }))] as const;
        })
        .filter(([, records]) => records.length > 0),
    );
    await feed(consumer, events, 10);
    const { rows } = await reading.query('select count(*) as rows, count(payload) as shown from tasks');
    expect(rows[0]).to.deep.include({ shown: 0 });
    expect(rows[0]).to.have.property('rows').that.is.greaterThan(0);
    expect(changes).to.deep.equal([]);
    await expectCounts(reading);
    expect((await reading.query('select * from task_counts')).rows).to.deep.equal([]);
  });

  it('remembers whose rows it has written before their submission', async () => {
    const ids = [1, 2, 3, 4].map((number) => `01999999-0000-7000-8000-00000000000${number}`);
    const log = (event: 'TaskQueued' | 'TaskStarted' | 'TaskSucceeded', topic: string, of: readonly string[]) =>
      of.map((taskId) => ({ topic, partition: 0, event: taskEvent(event, { type: 'noop', taskId }) }));
    const queue = partitionsOf(log('TaskQueued', queueTopic('noop', 'normal'), ids));
    const events = partitionsOf([
      ...log('TaskStarted', eventsTopic('noop', 'normal'), [ids[1]!, ids[3]!]),
      ...log('TaskSucceeded', eventsTopic('noop', 'normal'), [ids[3]!]),
    ]);
    const attempts: number[] = [];
    const { consumer } = instance({ onFlush: (flush) => attempts.push(flush.attempts) });
    for (const partitions of [events, queue]) await feed(consumer, partitions, 2);
    expect(attempts.length).to.be.greaterThan(1);
    expect(new Set(attempts)).to.deep.equal(new Set([1]));
    await expectView(reading, foldOf([...queue.values(), ...events.values()].flat()));
  });

  it('inserts with care once another instance has written a row that was expected to be new', async () => {
    const ids = [1, 2, 3, 4].map((number) => `01999999-0000-7000-8000-00000000000${number}`);
    const queued = ids.map((taskId) => ({
      topic: queueTopic('noop', 'normal'),
      partition: 0,
      event: taskEvent('TaskQueued', { type: 'noop', taskId }),
    }));
    const started = [ids[1]!, ids[3]!].map((taskId) => ({
      topic: eventsTopic('noop', 'normal'),
      partition: 0,
      event: taskEvent('TaskStarted', { type: 'noop', taskId }),
    }));
    const [queue, events] = [partitionsOf(queued), partitionsOf(started)];
    await feed(instance().consumer, events, 10);
    const attempts: number[] = [];
    const { consumer } = instance({ onFlush: (flush) => attempts.push(flush.attempts) });
    await feed(consumer, new Map([...queue].map(([key, records]) => [key, records.slice(0, 2)])), 10);
    await feed(consumer, queue, 10);
    expect(attempts).to.deep.equal([2, 1]);
    await expectView(reading, foldOf([...queue.values(), ...events.values()].flat()));
  });

  it('refuses a zombie, and the view is right all the same', async () => {
    const [log] = fc.sample(randomLog('noop', { tasks: 20, events: 200 }), { numRuns: 1, seed: 11 });
    const partitions = partitionsOf(log!);
    const [zombie, successor] = [instance(), instance()];
    const owned = [...partitions.values()].map((records) => records[0]!.record);
    await zombie.consumer.positions(owned);
    await feed(successor.consumer, partitions, 20);
    for (const records of partitions.values()) {
      await zombie.consumer.take(records.slice(0, 5).map(({ record }) => record));
    }
    await zombie.consumer.flushed();
    expect(zombie.rereads()).to.equal(1);
    expect(zombie.changes).to.deep.equal([]);
    await expectView(reading, foldOf([...partitions.values()].flat()));
  });
});
