import { expect } from 'chai';
import { groupLag, groupOffsets } from './groupOffsets.ts';
import type { Delivered, QueueConsumer } from './queueConsumer.ts';
import { queueSet } from './queueSet.ts';
import { type QueueFixture, queueFixture, type TestQueue, take, values } from './testing/queueFixture.ts';

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('queue set', function () {
  this.timeout(60_000);
  let fixture: QueueFixture;
  before(async () => {
    fixture = await queueFixture();
  });
  after(() => fixture.close());

  async function threeQueues() {
    const queues = await Promise.all(['high', 'normal', 'low'].map(() => fixture.queue()));
    const consumers = await Promise.all(queues.map((queue) => fixture.open(queue)));
    const [high, normal, low] = queues as [TestQueue, TestQueue, TestQueue];
    const set = queueSet(consumers);
    // until all sessions are open
    while (consumers.some((consumer) => consumer.health().openSessions === 0)) {
      await set.fetch({ maxRecords: 3, maxWaitMs: 100 });
    }
    return { high, normal, low, set, consumers };
  }

  it('fills slots in the order of priority', async () => {
    const { high, normal, low, set, consumers } = await threeQueues();
    await pollsAnswered(consumers);
    await fixture.produce(low, numbered('low', 10));
    await fixture.produce(normal, numbered('normal', 10));
    await fixture.produce(high, numbered('high', 10));
    // Without waiting, since a poll that waits takes its few records whatever the order.
    const records: Delivered[] = [];
    while (records.length < 25) records.push(...(await set.fetch({ maxRecords: 25 - records.length, maxWaitMs: 0 })));
    const all = values(records);
    expect(all.filter((value) => value.startsWith('high'))).to.have.length(10);
    expect(all.filter((value) => value.startsWith('normal'))).to.have.length(10);
    expect(all.filter((value) => value.startsWith('low'))).to.have.length(5);
  });

  it('begins with another queue where told to', async () => {
    const { high, low, set, consumers } = await threeQueues();
    await fixture.produce(high, numbered('high', 10));
    await fixture.produce(low, numbered('low', 10));
    const order = [consumers[2]!, consumers[0]!, consumers[1]!];
    // It is asked for all once it is known to give; before that for a few, so as not to keep others waiting.
    for (let topic = ''; topic !== low.topic; ) {
      for (const record of await set.fetch({ maxRecords: 1, maxWaitMs: 1_000, order })) {
        ({ topic } = record);
        consumers[0]!.accept(record);
      }
    }
    await pollsAnswered(consumers);
    const records = await set.fetch({ maxRecords: 5, maxWaitMs: 1_000, order });
    expect(records.every(({ topic }) => topic === low.topic)).to.equal(true);
  });

  it('never holds more records than slots, however they arrive', async () => {
    const { high, normal, low, set, consumers } = await threeQueues();
    const slots = 7;
    const total = 600;
    let running = 0;
    let most = 0;
    let done = 0;
    const producing = (async () => {
      for (let i = 0; i < total / 30; i++) {
        for (const queue of [low, high, normal]) await fixture.produce(queue, numbered('v', 10));
      }
    })();
    while (done < total) {
      if (running === slots) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      for (const record of await set.fetch({ maxRecords: slots - running, maxWaitMs: 1_000 })) {
        running++;
        setTimeout(() => {
          consumers[0]!.accept(record);
          running--;
          done++;
        }, Math.random() * 5);
      }
      most = Math.max(most, running);
      const held = consumers.reduce((sum, consumer) => sum + consumer.health().held, 0);
      expect(held).to.be.at.most(slots);
    }
    await producing;
    expect(most).to.be.at.most(slots);
    for (const consumer of consumers) await consumer.settled();
    const counts = consumers.map((consumer) => consumer.health().acknowledgements);
    expect(counts.reduce((sum, { accepted }) => sum + accepted, 0)).to.equal(total);
    expect(counts.reduce((sum, { released }) => sum + released, 0)).to.equal(0);
  });

  it('serves three queues from a single slot', async () => {
    const { high, normal, low, set, consumers } = await threeQueues();
    for (const queue of [low, normal, high]) await fixture.produce(queue, numbered('v', 2));
    for (let i = 0; i < 6; i++) {
      const [record] = await takeFrom(set, 1);
      consumers[0]!.accept(record!);
    }
  });

  it('releases what arrives after an abort', async () => {
    const { normal, set } = await threeQueues();
    const abort = new AbortController();
    const fetching = set.fetch({ maxRecords: 64, maxWaitMs: 10_000, signal: abort.signal });
    setImmediate(() => abort.abort());
    expect(await fetching).to.deep.equal([]);
    await fixture.produce(normal, ['late']);
    const other = await fixture.open(normal, {}, await fixture.connect());
    const [record] = await take(other, 1);
    expect(String(record!.value)).to.equal('late');
  });

  it('tells how far a group has come, and its backlog', async () => {
    const queue = await fixture.queue();
    await fixture.produce(queue, numbered('v', 10));
    expect(await groupOffsets(fixture.cluster, queue.group, queue.topic)).to.deep.equal([
      { topic: queue.topic, partition: 0, startOffset: undefined, lag: undefined },
    ]);
    const consumer = await fixture.open(queue);
    const records = await take(consumer, 6);
    for (const record of records.slice(0, 4)) consumer.accept(record);
    await consumer.settled();
    expect(await groupLag(fixture.cluster, queue.group, queue.topic)).to.equal(6);
    for (const record of records.slice(4)) consumer.accept(record);
    await consumer.settled();
    const [offset] = await groupOffsets(fixture.cluster, queue.group, queue.topic);
    expect(offset!.startOffset).to.be.within(4, 6);
  });
});

async function takeFrom(set: ReturnType<typeof queueSet>, count: number): Promise<Delivered[]> {
  const taken: Delivered[] = [];
  while (taken.length < count) taken.push(...(await set.fetch({ maxRecords: count - taken.length, maxWaitMs: 500 })));
  return taken;
}

/** Until no poll waits at the broker any more. */
async function pollsAnswered(consumers: readonly QueueConsumer[]): Promise<void> {
  const answered = () => consumers.every((consumer) => consumer.sources().every(({ isReady }) => isReady));
  while (!answered()) await new Promise((resolve) => setTimeout(resolve, 20));
}
