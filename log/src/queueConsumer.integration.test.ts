import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { CompressionTypes } from 'kafkajs';
import type { Delivered, QueueSession } from './queueConsumer.ts';
import { endOffsets } from './reader.ts';
import { type QueueFixture, queueFixture, take, values } from './testing/queueFixture.ts';

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `v${from + index}`);

describe('queue consumer', function () {
  this.timeout(60_000);
  let fixture: QueueFixture;
  before(async () => {
    fixture = await queueFixture();
  });
  after(() => fixture.close());

  it('hands each record once to one of two consumers', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, numbered(300));
    const consumers = [await fixture.open(queue), await fixture.open(queue, {}, await fixture.connect())];
    const seen: string[] = [];
    const counts = await Promise.all(
      consumers.map(async (consumer) => {
        let count = 0;
        while (seen.length < 300) {
          const records = await consumer.fetch({ maxRecords: 10, maxWaitMs: 100 });
          count += records.length;
          seen.push(...values(records));
          for (const record of records) consumer.accept(record);
        }
        await consumer.settled();
        return count;
      }),
    );
    expect([...seen].sort()).to.deep.equal(numbered(300).sort());
    expect(
      counts.every((count) => count > 0),
      `shares ${counts}`,
    ).to.equal(true);
    expect(await consumers[0]!.fetch({ maxRecords: 10, maxWaitMs: 300 })).to.deep.equal([]);
  });

  it('never gives more records than asked for, whatever the size of batches', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, numbered(500));
    const consumer = await fixture.open(queue);
    let total = 0;
    for (let maxRecords = 1; total < 400; maxRecords += 3) {
      const records = await consumer.fetch({ maxRecords, maxWaitMs: 1_000 });
      expect(records.length).to.be.at.most(maxRecords);
      total += records.length;
      for (const record of records) consumer.accept(record);
    }
  });

  it('gives whole batches where there is room for one, never more than asked for, and accepts them as they are settled', async () => {
    const queue = await fixture.queue();
    for (let batch = 0; batch < 12; batch++) await fixture.produce(queue, numbered(40, batch * 40));
    const consumer = await fixture.open(queue, { batchRecords: 40 });
    const seen: string[] = [];
    const late: Delivered[] = [];
    for (const [maxRecords, expected] of [
      [39, 39], // less than a batch: no more than those
      [40, 1], // the rest of it, since a whole one beside it might be too much
      [40, 40],
      [79, 40],
      [80, 80],
      [200, 200],
      [200, 80],
    ] as const) {
      const records = await consumer.fetch({ maxRecords, maxWaitMs: 20_000 });
      expect(records.length, `of ${maxRecords}`).to.equal(expected);
      seen.push(...values(records));
      late.push(records[0]!);
      for (const record of records.slice(1)) consumer.accept(record);
    }
    expect(seen).to.deep.equal(numbered(480));
    for (const record of late) consumer.accept(record);
    await consumer.settled();
    expect(consumer.health().acknowledgements).to.include({ accepted: 480, invalidState: 0 });
  });

  it('gives key, value, offset, append time, leader epoch and delivery count', async () => {
    const queue = await fixture.queue();
    const before = Date.now();
    await fixture.produce(queue, ['a', 'b']);
    const consumer = await fixture.open(queue);
    const [a, b] = await take(consumer, 2);
    expect(String(a!.key)).to.equal('key-0');
    expect([a!.offset, b!.offset]).to.deep.equal([0, 1]);
    expect([a!.topic, a!.partition, a!.delivery, a!.leaderEpoch]).to.deep.equal([queue.topic, 0, 1, 0]);
    expect(a!.appendedAt).to.be.within(before - 1_000, Date.now() + 1_000);
    expect(a!.session).to.include({ topic: queue.topic, partition: 0, leaderEpoch: 0, lost: false });
    expect(a!.lockedUntil - performance.now()).to.be.within(10_000, 15_000);
  });

  it('acknowledges what is accepted after many others have left before their time', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, numbered(400));
    const consumer = await fixture.open(queue);
    for (const count of [1, 398, 1]) {
      for (const record of await take(consumer, count)) consumer.accept(record);
    }
    await consumer.settled();
    expect(consumer.health().acknowledgements.accepted).to.equal(400);
  });

  it('delivers a released record again, counting, and a rejected one never', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, ['accepted', 'released', 'rejected']);
    const consumer = await fixture.open(queue);
    const [accepted, released, rejected] = await take(consumer, 3);
    consumer.accept(accepted!);
    consumer.release(released!);
    consumer.reject(rejected!);
    await consumer.settled();
    const [again] = await take(consumer, 1);
    expect([String(again!.value), again!.delivery]).to.deep.equal(['released', 2]);
    consumer.accept(again!);
    await consumer.settled();
    expect(await consumer.fetch({ maxRecords: 5, maxWaitMs: 300 })).to.deep.equal([]);
    expect(consumer.health().acknowledgements).to.include({ accepted: 2, released: 1, rejected: 1, invalidState: 0 });
    expect(consumer.health().held).to.equal(0);
  });

  it('counts what is settled first, and nothing twice', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, ['a']);
    const consumer = await fixture.open(queue);
    const [record] = await take(consumer, 1);
    consumer.accept(record!);
    consumer.release(record!);
    consumer.accept(record!);
    await consumer.settled();
    expect(consumer.health().acknowledgements).to.include({ accepted: 1, released: 0, invalidState: 0 });
  });

  it('delivers a record again when its lock ends, unless it is renewed', async () => {
    const queue = await fixture.queue({ lockMs: 1_500 });
    await fixture.produce(queue, ['renewed', 'left']);
    const holder = await fixture.open(queue);
    const records = await take(holder, 2);
    const [renewed, left] = records as [Delivered, Delivered];
    const other = await fixture.open(queue, {}, await fixture.connect());
    const rounds = setInterval(() => void holder.renew([renewed]), 400);
    try {
      const [again] = await take(other, 1);
      expect([String(again!.value), again!.delivery]).to.deep.equal(['left', 2]);
      other.accept(again!);
      await other.settled();
      const { renewed: kept, lost } = await holder.renew(records);
      expect(kept).to.deep.equal([renewed]);
      expect(lost).to.deep.equal([left]);
      expect(renewed.lockedUntil).to.be.greaterThan(performance.now());
    } finally {
      clearInterval(rounds);
    }
    expect(holder.health().sessionsLost).to.equal(0);
  });

  it('accepts the others when some of many records have lost their lock', async () => {
    const queue = await fixture.queue({ lockMs: 1_500 });
    await fixture.produce(queue, numbered(100));
    const holder = await fixture.open(queue);
    const records = await take(holder, 100);
    const stale = new Set([3, 4, 50, 99]);
    const kept = records.filter(({ offset }) => !stale.has(offset));
    const other = await fixture.open(queue, {}, await fixture.connect());
    const rounds = setInterval(() => void holder.renew(kept), 300);
    const again = await take(other, stale.size).finally(() => clearInterval(rounds));
    expect(again.map(({ offset }) => offset)).to.deep.equal([...stale]);
    for (const record of records) holder.accept(record);
    await holder.settled();
    expect(holder.health().acknowledgements).to.include({ accepted: 96, invalidState: 4 });
  });

  it('sends accepts without a fetch, to whoever waits for that', async () => {
    const queue = await fixture.queue({ deliveries: 2 });
    await fixture.produce(queue, ['a', 'b']);
    const consumer = await fixture.open(queue);
    for (const record of await take(consumer, 2)) consumer.accept(record);
    await consumer.settled();
    expect(consumer.health().acknowledgements.accepted).to.equal(2);
  });

  it('frees what a consumer holds when it closes', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, ['accepted', 'held']);
    const first = await fixture.open(queue);
    const [accepted] = await take(first, 2);
    first.accept(accepted!);
    await first.close();
    const second = await fixture.open(queue, {}, await fixture.connect());
    const [again] = await take(second, 1);
    expect([String(again!.value), again!.delivery]).to.deep.equal(['held', 2]);
    await expectRejected(first.fetch({ maxRecords: 1, maxWaitMs: 0 }), 'ClosedError');
  });

  it('gives back what arrives after a fetch was aborted', async () => {
    const queue = await fixture.queue();
    const consumer = await fixture.open(queue);
    await take(consumer, 0);
    await assigned(consumer);
    const abort = new AbortController();
    const aborted = consumer.fetch({ maxRecords: 5, maxWaitMs: 10_000, signal: abort.signal });
    setImmediate(() => abort.abort());
    expect(await aborted).to.deep.equal([]);
    await fixture.produce(queue, ['late']);
    const other = await fixture.open(queue, {}, await fixture.connect());
    const [record] = await take(other, 1);
    expect(String(record!.value)).to.equal('late');
  });

  it('waits for a topic that is created later, and outlives its deletion', async () => {
    const queue = await fixture.queue({ partitions: 0 });
    const lost: QueueSession[] = [];
    const consumer = await fixture.open(queue, { onSessionLost: (session) => lost.push(session) });
    expect(await consumer.fetch({ maxRecords: 1, maxWaitMs: 300 })).to.deep.equal([]);
    await fixture.createTopic(queue.topic);
    await fixture.produce(queue, ['first']);
    const [first] = await take(consumer, 1);
    expect(String(first!.value)).to.equal('first');
    await fixture.admin.deleteTopics({ topics: [queue.topic] });
    while (lost.length === 0) await consumer.fetch({ maxRecords: 1, maxWaitMs: 100 });
    expect(first!.session.lost).to.equal(true);
    await fixture.createTopic(queue.topic);
    await fixture.produce(queue, ['second']);
    const [second] = await take(consumer, 1);
    expect([String(second!.value), second!.offset]).to.deep.equal(['second', 0]);
    expect(second!.session.id).not.to.equal(first!.session.id);
  });

  it('reads compressed batches, and passes transaction markers', async () => {
    const queue = await fixture.queue();
    const transactional = fixture.cluster.kafkajs.producer({
      transactionalId: queue.topic,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await transactional.connect();
    const transaction = await transactional.transaction();
    await transaction.send({ topic: queue.topic, messages: [{ partition: 0, value: 'in a transaction' }] });
    await transaction.commit();
    await transactional.disconnect();
    // The broker answers a commit before it has written the marker.
    while ((await endOffsets(fixture.cluster, [queue.topic])).get(queue.topic)?.[0] !== 2) await delay(10);
    await fixture.produce(queue, numbered(50), { compression: CompressionTypes.GZIP });
    const consumer = await fixture.open(queue);
    const records = await take(consumer, 51);
    expect(values(records)).to.deep.equal(['in a transaction', ...numbered(50)]);
    expect(records.map(({ offset }) => offset)).to.deep.equal([0, ...Array.from({ length: 50 }, (_, i) => i + 2)]);
    for (const record of records) consumer.accept(record);
    await consumer.settled();
    const other = await fixture.open(queue, {}, await fixture.connect());
    await assigned(other);
    expect(await other.fetch({ maxRecords: 5, maxWaitMs: 500 })).to.deep.equal([]);
  });

  it('reads records of 900 KB, also where a fetch has room for one only', async () => {
    const queue = await fixture.queue();
    for (let i = 0; i < 6; i++) await fixture.produce(queue, [Buffer.alloc(900_000, i)]);
    const consumer = await fixture.open(queue, { maxBytes: 500_000 });
    const records = await take(consumer, 6);
    expect(records.map(({ value }) => [value!.length, value![0], value!.at(-1)])).to.deep.equal(
      numbered(6).map((_, i) => [900_000, i, i]),
    );
  });

  it('takes records of a queue with several partitions', async () => {
    const queue = await fixture.queue({ partitions: 3 });
    for (const partition of [0, 1, 2]) await fixture.produce(queue, numbered(20, partition * 20), { partition });
    const consumer = await fixture.open(queue);
    const records = await take(consumer, 60);
    expect(values(records).sort()).to.deep.equal(numbered(60).sort());
    expect(new Set(records.map(({ session }) => session.id)).size).to.equal(3);
    for (const record of records) consumer.accept(record);
    await consumer.settled();
    expect(consumer.health().acknowledgements.accepted).to.equal(60);
  });

  it('keeps twenty queues of one process healthy', async () => {
    const queues = await Promise.all(Array.from({ length: 20 }, () => fixture.queue()));
    const consumers = await Promise.all(queues.map((queue) => fixture.open(queue)));
    await Promise.all(queues.map((queue, index) => fixture.produce(queue, [`to ${index}`])));
    const records = await Promise.all(consumers.map((consumer) => take(consumer, 1)));
    expect(records.map(([record]) => String(record!.value))).to.deep.equal(queues.map((_, index) => `to ${index}`));
    for (const consumer of consumers) {
      const { membership, sinceFetchMs, assignedPartitions, openSessions } = consumer.health();
      expect({ membership, assignedPartitions, openSessions }).to.deep.equal({
        membership: 'member',
        assignedPartitions: 1,
        openSessions: 1,
      });
      expect(sinceFetchMs).to.be.a('number');
    }
  });

  it('remembers when it was last shown that nothing was to be had', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, ['a']);
    const consumer = await fixture.open(queue);
    const [first] = await take(consumer, 1);
    const { session } = first!;
    expect(session).to.include({ shownEmptyAt: undefined, lockMs: 15_000 });
    expect(await consumer.fetch({ maxRecords: 1, maxWaitMs: 0 })).to.deep.equal([]);
    expect(session.shownEmptyAt, 'without a wait it proves nothing').to.equal(undefined);
    const before = performance.now();
    while (session.shownEmptyAt === undefined) {
      expect(await consumer.fetch({ maxRecords: 1, maxWaitMs: 300 })).to.deep.equal([]);
    }
    expect(session.shownEmptyAt).to.be.within(before, performance.now() - 200);
    consumer.accept(first!);
  });
});

async function assigned(consumer: { health(): { openSessions: number }; fetch: QueueFetch }): Promise<void> {
  while (consumer.health().openSessions === 0) await consumer.fetch({ maxRecords: 1, maxWaitMs: 50 });
}

type QueueFetch = (options: { maxRecords: number; maxWaitMs: number }) => Promise<readonly Delivered[]>;

async function expectRejected(promise: Promise<unknown>, name: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.an.instanceOf(Error).with.property('name', name);
}
