import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createEventConsumer, type EventConsumer } from './eventConsumer.ts';
import { type QueueFixture, queueFixture } from './testing/queueFixture.ts';
import { type SpoiledBroker, startSpoiledBroker } from './testing/spoiledBroker.ts';

const fetchKey = 1;
const heartbeatKey = 12;
const joinGroupKey = 11;

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `v${from + index}`);

describe('event consumer under faults', function () {
  this.timeout(180_000);
  let spoiled: SpoiledBroker;
  let fixture: QueueFixture;
  const consumers: EventConsumer[] = [];
  before(async () => {
    spoiled = await startSpoiledBroker();
    fixture = await queueFixture([spoiled.proxy.address]);
  });
  afterEach(async () => {
    spoiled.proxy.heal();
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
  });
  after(async () => {
    await fixture?.close();
    await spoiled?.close();
  });

  /** Consumes a new topic, positions kept as a database would. */
  async function consume(sessionTimeoutMs = 10_000) {
    const topic = `test.events.${randomUUID()}`;
    await fixture.createTopic(topic, 2);
    const stored = new Map<string, number>();
    const values: string[] = [];
    const problems: unknown[] = [];
    const consumer = createEventConsumer(fixture.cluster, {
      groupId: topic,
      topics: () => [topic],
      sessionTimeoutMs,
      positions: async () => new Map(stored),
      onBatch({ partition, records }) {
        for (const { offset, value } of records) {
          const key = `${topic}/${partition}`;
          expect(offset, key).to.equal(stored.get(key) ?? 0);
          stored.set(key, offset + 1);
          values.push(String(value));
        }
      },
      onGap: (error) => problems.push(error),
      onFatal: (error) => problems.push(error),
    });
    consumers.push(consumer);
    let produced = 0;
    const produce = async (count: number) => {
      const texts = numbered(count, produced);
      produced += count;
      await fixture.produce({ topic, group: '' }, texts, { partition: produced % 2 });
    };
    const readAll = async () => {
      await until(() => values.length === produced);
      expect([...values].sort()).to.deep.equal(numbered(produced).sort());
      expect(problems).to.deep.equal([]);
    };
    return { topic, consumer, produce, readAll, problems };
  }

  it('reads on when connections are cut', async () => {
    const { produce, readAll } = await consume();
    await produce(10);
    await readAll();
    for (let i = 0; i < 3; i++) {
      spoiled.proxy.cutAll();
      await produce(11);
      await readAll();
    }
  });

  it('loses nothing when the answer to a fetch is lost', async () => {
    const { produce, readAll } = await consume();
    await produce(5);
    await readAll();
    const { struck } = spoiled.proxy.inject({ fault: 'loseResponse', apiKey: fetchKey });
    await produce(5);
    await struck;
    await produce(6);
    await readAll();
  });

  it('reads on while the group cannot be reached, and keeps its partitions if that ends in time', async () => {
    const { produce, readAll, consumer } = await consume();
    await produce(5);
    await readAll();
    const { epoch } = consumer.health();
    const { struck } = spoiled.proxy.inject({ fault: 'loseResponse', apiKey: heartbeatKey });
    await struck;
    await produce(5);
    await readAll();
    await until(() => consumer.health().membership === 'member');
    expect(consumer.health().epoch).to.be.at.most(epoch + 1);
  });

  it('gives its partitions up when the group has not heard of it for the session time-out, and takes them again', async () => {
    const { produce, readAll, consumer } = await consume(6_000);
    await produce(5);
    await readAll();
    const { epoch } = consumer.health();
    spoiled.proxy.inject({ fault: 'loseRequest', apiKey: heartbeatKey, times: 1_000 });
    spoiled.proxy.inject({ fault: 'loseRequest', apiKey: joinGroupKey, times: 1_000 });
    await until(() => consumer.health().assignedPartitions === 0);
    spoiled.proxy.heal();
    await produce(5);
    await readAll();
    expect(consumer.health().epoch).to.be.greaterThan(epoch);
  });

  it('goes on after a clean restart and after a crash of the broker', async () => {
    const { produce, readAll, consumer } = await consume();
    await produce(20);
    await readAll();
    await spoiled.broker.stop();
    await spoiled.broker.start();
    await produce(21);
    await readAll();
    await spoiled.broker.kill();
    await spoiled.broker.start();
    await produce(20);
    await readAll();
    await until(() => consumer.health().membership === 'member');
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
