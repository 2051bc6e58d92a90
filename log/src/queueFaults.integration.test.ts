import { expect } from 'chai';
import type { Delivered, QueueConsumer, QueueSession } from './queueConsumer.ts';
import { type QueueFixture, queueFixture, take, values } from './testing/queueFixture.ts';
import { type SpoiledBroker, startSpoiledBroker } from './testing/spoiledBroker.ts';

const shareFetchKey = 78;
const shareAcknowledgeKey = 79;
const heartbeatKey = 76;

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `v${from + index}`);

describe('queue consumer under faults', function () {
  this.timeout(120_000);
  let spoiled: SpoiledBroker;
  let fixture: QueueFixture;
  before(async () => {
    spoiled = await startSpoiledBroker();
    fixture = await queueFixture([spoiled.proxy.address]);
  });
  afterEach(() => spoiled.proxy.heal());
  after(async () => {
    await fixture?.close();
    await spoiled?.close();
  });

  it('tells that the session is lost when its connection is cut, and goes on with a new one', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, numbered(3));
    const lost: QueueSession[] = [];
    const consumer = await fixture.open(queue, { onSessionLost: (session) => lost.push(session) });
    const records = await take(consumer, 3);
    spoiled.proxy.cutAll();
    const again = await take(consumer, 3);
    expect(lost[0]).to.equal(records[0]!.session);
    expect(records.every(({ session }) => session.lost)).to.equal(true);
    expect(again.map(({ value, delivery }) => [String(value), delivery])).to.deep.equal([
      ['v0', 2],
      ['v1', 2],
      ['v2', 2],
    ]);
    // nothing of the old session counts: neither does it accept what is delivered anew
    for (const record of records) consumer.accept(record);
    await consumer.settled();
    expect(consumer.health().acknowledgements).to.include({ accepted: 0, lostWithSession: 3 });
    await acceptAll(consumer, again);
  });

  it('gets records again whose answer was lost, at once', async () => {
    const queue = await fixture.queue({ lockMs: 60_000 });
    const consumer = await fixture.open(queue);
    await polled(consumer);
    const { struck } = spoiled.proxy.inject({ fault: 'loseResponse', apiKey: shareFetchKey });
    await fixture.produce(queue, numbered(5));
    const records = await takeHeld(consumer, 5);
    await struck;
    expect(values(records)).to.deep.equal(numbered(5));
    await acceptAll(consumer, records);
  });

  it('gives up a connection on which an answer does not come', async () => {
    const queue = await fixture.queue({ lockMs: 60_000 });
    const consumer = await fixture.open(queue, { answerTimeoutMs: 500 });
    await polled(consumer);
    const { struck } = spoiled.proxy.inject({ fault: 'swallowResponse', apiKey: shareFetchKey });
    await fixture.produce(queue, numbered(5));
    const records = await takeHeld(consumer, 5);
    await struck;
    await acceptAll(consumer, records);
  });

  it('loses no record when an accept or its answer is lost', async () => {
    for (const fault of ['loseRequest', 'loseResponse'] as const) {
      const queue = await fixture.queue();
      await fixture.produce(queue, numbered(10));
      const consumer = await fixture.open(queue);
      const records = await take(consumer, 10);
      const { struck } = spoiled.proxy.inject({ fault, apiKey: shareAcknowledgeKey });
      for (const record of records) consumer.accept(record);
      await struck;
      await consumer.settled();
      expect(records[0]!.session.lost).to.equal(true);
      const again = await take(consumer, fault === 'loseRequest' ? 10 : 0);
      await acceptAll(consumer, again);
      expect(await consumer.fetch({ maxRecords: 10, maxWaitMs: 700 })).to.deep.equal([]);
      await consumer.close();
    }
  });

  it('stays a member when a heartbeat is lost', async () => {
    const queue = await fixture.queue();
    const consumer = await fixture.open(queue);
    await polled(consumer);
    const { struck } = spoiled.proxy.inject({ fault: 'loseResponse', apiKey: heartbeatKey });
    await struck;
    await fixture.produce(queue, numbered(2));
    await acceptAll(consumer, await take(consumer, 2));
    await until(() => consumer.health().membership === 'member');
  });

  it('survives a half-open connection', async () => {
    const queue = await fixture.queue();
    const consumer = await fixture.open(queue, { answerTimeoutMs: 500 });
    await polled(consumer);
    spoiled.proxy.freeze();
    // Only who asks something finds out that nobody answers.
    while (consumer.health().openSessions > 0) await consumer.fetch({ maxRecords: 1, maxWaitMs: 50 });
    spoiled.proxy.heal();
    await fixture.produce(queue, numbered(4));
    await acceptAll(consumer, await take(consumer, 4));
  });

  for (const [how, end] of [
    ['a clean restart', (broker: SpoiledBroker['broker']) => broker.stop()],
    ['a crash', (broker: SpoiledBroker['broker']) => broker.kill()],
  ] as const) {
    it(`consumes on after ${how} of the broker: what was accepted stays so, all else comes again`, async () => {
      const queue = await fixture.queue();
      await fixture.produce(queue, numbered(200));
      const consumers = [await fixture.open(queue), await fixture.open(queue, {}, await fixture.connect())];
      const accepted = await take(consumers[0]!, 50);
      await acceptAll(consumers[0]!, accepted);
      const held = await take(consumers[1]!, 50);
      await end(spoiled.broker);
      const settled = new Set(values(accepted));
      const seen: string[] = [];
      const consuming = Promise.all(
        consumers.map(async (consumer) => {
          while (settled.size < 200) {
            const records = await consumer.fetch({ maxRecords: 20, maxWaitMs: 200 });
            for (const record of records) {
              seen.push(String(record.value));
              consumer.accept(record);
            }
            await consumer.settled();
            for (const record of records) if (!record.session.lost) settled.add(String(record.value));
          }
        }),
      );
      await spoiled.broker.start();
      await consuming;
      expect(held.every(({ session }) => session.lost)).to.equal(true);
      expect(seen.filter((value) => accepted.some((record) => String(record.value) === value))).to.deep.equal([]);
      expect(new Set(seen).size).to.equal(150);
      for (const consumer of consumers) {
        await until(() => consumer.health().membership === 'member');
        expect(await consumer.fetch({ maxRecords: 5, maxWaitMs: 300 })).to.deep.equal([]);
      }
      const [first] = await restartedEpoch(consumers[0]!, queue);
      expect(first!.session.leaderEpoch).to.be.greaterThan(held[0]!.session.leaderEpoch);
    });
  }

  async function restartedEpoch(
    consumer: QueueConsumer,
    queue: { topic: string; group: string },
  ): Promise<Delivered[]> {
    await fixture.produce(queue, ['after']);
    for (const other of await take(consumer, 1)) return [other];
    return [];
  }
});

async function acceptAll(consumer: QueueConsumer, records: readonly Delivered[]): Promise<void> {
  const { accepted } = consumer.health().acknowledgements;
  for (const record of records) consumer.accept(record);
  await consumer.settled();
  expect(consumer.health().acknowledgements.accepted - accepted).to.equal(records.length);
}

/** Takes records until so many are held on sessions that live. */
async function takeHeld(consumer: QueueConsumer, count: number): Promise<Delivered[]> {
  let held: Delivered[] = [];
  while (held.length < count) {
    held.push(...(await consumer.fetch({ maxRecords: count - held.length, maxWaitMs: 300 })));
    held = held.filter(({ session }) => !session.lost);
  }
  return held;
}

/** Until its session is open. */
async function polled(consumer: QueueConsumer): Promise<void> {
  while (consumer.health().openSessions === 0) await consumer.fetch({ maxRecords: 1, maxWaitMs: 50 });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
