import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Cluster } from './cluster.ts';
import { GapError, type UnknownTopicError } from './errors.ts';
import {
  createEventConsumer,
  type EventBatch,
  type EventConsumer,
  type EventConsumerOptions,
  type Stall,
} from './eventConsumer.ts';
import { type QueueFixture, queueFixture } from './testing/queueFixture.ts';

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `v${from + index}`);

/** A consumer that keeps its positions in memory, as a service does in its database. */
class Recorder {
  readonly consumer: EventConsumer;
  readonly values: string[] = [];
  readonly batches: EventBatch[] = [];
  readonly gaps: (GapError | UnknownTopicError)[] = [];
  readonly fatal: Error[] = [];
  readonly stalls: Stall[] = [];
  readonly revoked: number[] = [];
  readonly asked: { epoch: number; partitions: string[] }[] = [];
  onRecord: (value: string) => void | Promise<void> = () => {};

  constructor(cluster: Cluster, stored: Map<string, number>, options: Partial<EventConsumerOptions>) {
    this.consumer = createEventConsumer(cluster, {
      groupId: `test.${randomUUID()}`,
      topics: () => [],
      positions: async (partitions, epoch) => {
        this.asked.push({
          epoch,
          partitions: partitions.map(({ topic, partition }) => `${topic}/${partition}`).sort(),
        });
        return new Map(
          partitions.map(({ topic, partition, start }) => {
            const key = `${topic}/${partition}`;
            return [key, stored.get(key) ?? start];
          }),
        );
      },
      onBatch: async (batch) => {
        const key = `${batch.topic}/${batch.partition}`;
        this.batches.push(batch);
        for (const record of batch.records) {
          await this.onRecord(String(record.value));
          // what a position that another has moved refuses
          const due = stored.get(key) ?? 0;
          if (record.offset !== due) continue;
          stored.set(key, due + 1);
          this.values.push(String(record.value));
        }
      },
      onRevoked: (partitions) => this.revoked.push(partitions.length),
      onGap: (error) => this.gaps.push(error),
      onFatal: (error) => this.fatal.push(error),
      onStalled: (stall) => this.stalls.push(stall),
      ...options,
    });
  }
}

describe('event consumer', function () {
  this.timeout(60_000);
  let fixture: QueueFixture;
  const consumers: EventConsumer[] = [];
  before(async () => {
    fixture = await queueFixture();
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
  });
  after(() => fixture.close());

  async function topicWith(partitions: number): Promise<string> {
    const topic = `test.events.${randomUUID()}`;
    await fixture.createTopic(topic, partitions);
    return topic;
  }

  function record(
    options: Partial<EventConsumerOptions>,
    stored = new Map<string, number>(),
    cluster = fixture.cluster,
  ) {
    const recorder = new Recorder(cluster, stored, options);
    consumers.push(recorder.consumer);
    return recorder;
  }

  const produce = (topic: string, values: readonly string[], partition = 0) =>
    fixture.produce({ topic, group: '' }, values, { partition });

  it('hands out the records of each partition in order, from the positions it is given', async () => {
    const topic = await topicWith(2);
    await produce(topic, numbered(10), 0);
    await produce(topic, numbered(10, 100), 1);
    const recorder = record({ topics: () => [topic] }, new Map([[`${topic}/0`, 7]]));
    await until(() => recorder.values.length === 13);
    expect(recorder.values.filter((value) => value.length === 2)).to.deep.equal(numbered(3, 7));
    expect(recorder.values.filter((value) => value.length === 4)).to.deep.equal(numbered(10, 100));
    expect(recorder.asked).to.deep.equal([{ epoch: 1, partitions: [`${topic}/0`, `${topic}/1`] }]);
    await produce(topic, ['more'], 1);
    await until(() => recorder.values.at(-1) === 'more');
    expect(recorder.batches.at(-1)).to.deep.include({ topic, partition: 1, epoch: 1 });
  });

  it('continues after a restart where its positions are, not where the group is', async () => {
    const topic = await topicWith(1);
    const groupId = `test.${randomUUID()}`;
    await produce(topic, numbered(20));
    const first = record({ topics: () => [topic], groupId });
    await until(() => first.values.length === 20);
    await first.consumer.close();
    const second = record({ topics: () => [topic], groupId }, new Map([[`${topic}/0`, 15]]));
    await until(() => second.values.length === 5);
    expect(second.values).to.deep.equal(numbered(5, 15));
  });

  it('asks at once when told to, where it is set to ask rarely', async () => {
    const topic = await topicWith(1);
    // After two fetches of little that follow each other the third waits for a quarter of an hour.
    const { consumer, values } = record({ topics: () => [topic], fetchesPerSecond: 0.001 });
    for (const value of numbered(4)) {
      await produce(topic, [value]);
      await until(() => {
        consumer.hurry();
        return values.at(-1) === value;
      });
    }
    expect(values).to.deep.equal(numbered(4));
  });

  it('tells progress, also while nothing comes', async () => {
    const topic = await topicWith(1);
    const before = Date.now();
    await produce(topic, numbered(3));
    const { consumer, values } = record({ topics: () => [topic] });
    await until(() => values.length === 3);
    await until(() => (consumer.progress()[0]?.askedAt ?? 0) > before + 1_000);
    expect(consumer.progress()).to.have.length(1);
    expect(consumer.progress()[0]).to.include({ topic, partition: 0, next: 3, end: 3, stopped: undefined });
    expect(consumer.health()).to.include({ membership: 'member', assignedPartitions: 1, lag: 0 });
  });

  it('commits to Kafka for lag displays', async () => {
    const topic = await topicWith(1);
    const groupId = `test.${randomUUID()}`;
    await produce(topic, numbered(3));
    const { consumer, values } = record({ topics: () => [topic], groupId });
    await until(() => values.length === 3);
    await consumer.close();
    const [committed] = await fixture.admin.fetchOffsets({ groupId, topics: [topic] });
    expect(committed!.partitions.map(({ offset }) => offset)).to.deep.equal(['3']);
  });

  it('loses nothing and applies nothing twice when a second member comes and goes', async () => {
    const topic = await topicWith(4);
    const groupId = `test.${randomUUID()}`;
    const stored = new Map<string, number>();
    const first = record({ topics: () => [topic], groupId }, stored);
    let produced = 0;
    const produceSome = async () => {
      for (let i = 0; i < 4; i++, produced += 5) await produce(topic, numbered(5, produced), i);
    };
    await produceSome();
    await until(() => first.values.length === produced);
    const second = record({ topics: () => [topic], groupId }, stored, await fixture.connect());
    await until(
      () => second.consumer.health().assignedPartitions === 2 && first.consumer.health().assignedPartitions === 2,
    );
    await produceSome();
    await until(() => first.values.length + second.values.length === produced);
    expect(second.values).to.have.length(10);
    expect(first.revoked).to.deep.equal([4]);
    await second.consumer.close();
    await until(() => first.consumer.health().assignedPartitions === 4);
    await produceSome();
    await until(() => first.values.length + second.values.length === produced);
    expect([...first.values, ...second.values].sort()).to.deep.equal(numbered(produced).sort());
  });

  it('reads on while topics are added, and reads the new ones', async () => {
    const [old, added] = [await topicWith(1), `test.events.${randomUUID()}`];
    let topics = [old];
    const recorder = record({ topics: () => topics });
    await produce(old, ['first']);
    await until(() => recorder.values.length === 1);
    topics = [old, added];
    await recorder.consumer.topicsChanged();
    expect(recorder.consumer.health().assignedPartitions, 'not there yet').to.equal(1);
    await fixture.createTopic(added, 2);
    await produce(added, ['new'], 1);
    const changing = recorder.consumer.topicsChanged();
    await produce(old, ['meanwhile']);
    await changing;
    await until(() => recorder.values.length === 3);
    expect([...recorder.values].sort()).to.deep.equal(['first', 'meanwhile', 'new']);
    expect(recorder.consumer.health().assignedPartitions).to.equal(3);
  });

  it('reports a gap when records were deleted before they were read, and reads other partitions on', async () => {
    const topic = await topicWith(2);
    await produce(topic, numbered(10), 0);
    const admin = fixture.cluster.kafkajs.admin();
    await admin.connect();
    // which loads the topic's metadata: `deleteTopicRecords` itself does not
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    await admin.disconnect();
    const recorder = record(
      { topics: () => [topic] },
      new Map([
        [`${topic}/0`, 4],
        [`${topic}/1`, 0],
      ]),
    );
    await until(() => recorder.gaps.length === 1);
    expect(recorder.gaps[0]).to.be.instanceOf(GapError).and.to.include({ topic, partition: 0, wanted: 4, start: 6 });
    await produce(topic, ['on the other'], 1);
    await until(() => recorder.values.length === 1);
    expect(recorder.values).to.deep.equal(['on the other']);
    expect(recorder.consumer.health().stopped).to.deep.equal([`${topic}/0`]);
    expect(recorder.fatal).to.deep.equal([]);
  });

  it('reports a position behind the end of the log', async () => {
    const topic = await topicWith(1);
    await produce(topic, numbered(3));
    const recorder = record({ topics: () => [topic] }, new Map([[`${topic}/0`, 9]]));
    await until(() => recorder.gaps.length === 1);
    expect(recorder.gaps[0]).to.be.instanceOf(GapError).and.to.include({ wanted: 9, end: 3 });
  });

  it('reports a topic that is deleted, and goes on with the others', async () => {
    const [gone, kept] = [await topicWith(1), await topicWith(1)];
    const recorder = record({ topics: () => [gone, kept] });
    // kafkajs's producers cannot work any more once a topic that they have written to is gone
    const producer = fixture.cluster.kafkajs.producer();
    await producer.connect();
    await producer.send({ topic: gone, messages: [{ value: 'a' }] });
    await producer.disconnect();
    await until(() => recorder.values.length === 1);
    await fixture.admin.deleteTopics({ topics: [gone] });
    await until(() => recorder.gaps.length > 0);
    await produce(kept, ['b']);
    await until(() => recorder.values.includes('b'));
    expect(recorder.fatal).to.deep.equal([]);
  });

  it('ends, and says so, when its handler throws a TypeError', async () => {
    const topic = await topicWith(1);
    const recorder = record({ topics: () => [topic] });
    recorder.onRecord = () => {
      throw new TypeError('x is not a function');
    };
    await produce(topic, ['a', 'b']);
    await until(() => recorder.fatal.length === 1);
    expect(recorder.fatal[0]).to.be.instanceOf(TypeError);
    expect(recorder.values).to.deep.equal([]);
  });

  it('holds back a partition whose handler is slow, and no other', async () => {
    const topic = await topicWith(2);
    const recorder = record({ topics: () => [topic], stalledAfterMs: 400 });
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    recorder.onRecord = (value) => (value === 'v0' ? held : undefined);
    await produce(topic, ['v0'], 0);
    await until(() => recorder.batches.length === 1);
    for (let i = 1; i < 20; i++) await produce(topic, [`v${i}`], 0);
    await produce(topic, ['other'], 1);
    await until(() => recorder.values.includes('other'));
    await until(() => recorder.stalls.length > 0);
    expect(recorder.stalls[0]).to.include({ topic, partition: 0, waitingFor: 'handler' });
    expect(recorder.batches.filter(({ partition }) => partition === 0)).to.have.length(1);
    letGo();
    await until(() => recorder.values.length === 21);
    expect(recorder.values.filter((value) => value !== 'other')).to.deep.equal(numbered(20));
  });

  it('reads again from its positions when told to', async () => {
    const topic = await topicWith(1);
    const stored = new Map<string, number>();
    const recorder = record({ topics: () => [topic] }, stored);
    await produce(topic, numbered(5));
    await until(() => recorder.values.length === 5);
    stored.set(`${topic}/0`, 3);
    recorder.consumer.reread();
    await until(() => recorder.values.length === 7);
    expect(recorder.values.slice(5)).to.deep.equal(numbered(2, 3));
    expect(recorder.batches.at(-1)!.epoch).to.equal(2);
  });

  it('asks for positions until they can be had', async () => {
    const topic = await topicWith(1);
    await produce(topic, numbered(2));
    let failures = 3;
    const recorder = record({
      topics: () => [topic],
      positions: () =>
        failures-- > 0 ? Promise.reject(new Error('the database is away')) : Promise.resolve(new Map()),
    });
    await until(() => recorder.values.length === 2);
    expect(recorder.fatal).to.deep.equal([]);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
