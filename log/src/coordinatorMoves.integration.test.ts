import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { retrying } from './backoff.ts';
import { createEventConsumer } from './eventConsumer.ts';
import type { QueueConsumer } from './queueConsumer.ts';
import { type BrokerPair, startBrokerPair } from './testing/brokerPair.ts';
import { type QueueFixture, queueFixture, type TestQueue, take, values } from './testing/queueFixture.ts';
import { metadata } from './wire/messages/metadata.ts';

/** The topics of coordinators on both brokers, so that each can take over from the other. */
const replicated = {
  'offsets.topic.replication.factor': 2,
  'offsets.topic.num.partitions': 2,
  'share.coordinator.state.topic.replication.factor': 2,
  'share.coordinator.state.topic.num.partitions': 2,
};
const internalTopics = ['__consumer_offsets', '__share_group_state'];

describe('when coordinators move', function () {
  this.timeout(180_000);
  let pair: BrokerPair;
  let fixture: QueueFixture;
  before(async () => {
    pair = await startBrokerPair(replicated);
    fixture = await queueFixture([pair.first.address]);
  });
  after(async () => {
    await fixture?.close();
    await pair?.close();
  });

  const partitionsOf = async (topic: string) =>
    (await fixture.cluster.request('any', metadata([topic]))).topics[0]!.partitions;

  const place = async (topic: string, replicas: number[]) => {
    const partitionAssignment = (await partitionsOf(topic)).map(({ partition }) => ({ partition, replicas }));
    await fixture.admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
    for (;;) {
      const placed = (await partitionsOf(topic)).every(
        ({ leader, inSyncReplicas, replicas: { length } }) =>
          leader === replicas[0] && inSyncReplicas.length === replicas.length && length === replicas.length,
      );
      if (placed) return;
      await delay(50);
    }
  };

  /** The second broker coordinates all groups, and the first one can take over. */
  const coordinateOnSecond = async (group: string) => {
    for (const replicas of [[2], [2, 1]]) await Promise.all(internalTopics.map((topic) => place(topic, replicas)));
    expect(await coordinatorOf(group)).to.equal(2);
  };

  const coordinatorOf = (group: string) => {
    fixture.cluster.forgetCoordinator(group);
    return retrying(() => fixture.cluster.coordinator(group), { forMs: 30_000 });
  };

  const accept = async (consumer: QueueConsumer, queue: TestQueue, texts: readonly string[]) => {
    await fixture.produce(queue, texts);
    const records = await take(consumer, texts.length, 60_000);
    for (const record of records) consumer.accept(record);
    await consumer.settled();
    expect(values(records)).to.deep.equal(texts);
    expect(records.every(({ delivery }) => delivery === 1)).to.equal(true);
  };

  it('a queue consumer and an event consumer stay members, no record is lost and none comes twice', async () => {
    const queue = await fixture.queue({ lockMs: 60_000 });
    const events = await fixture.queue();
    // the log itself stays where it is: on the first broker
    await place(queue.topic, [1]);
    await place(events.topic, [1]);
    const client = await fixture.connect();
    const consumer = await fixture.open(queue, {}, client);
    const consumed: string[] = [];
    const problems: unknown[] = [];
    const stored = new Map<string, number>();
    const reading = createEventConsumer(client, {
      groupId: events.group,
      topics: () => [events.topic],
      positions: async () => new Map(stored),
      onBatch({ partition, records }) {
        consumed.push(...records.map(({ value }) => String(value)));
        stored.set(`${events.topic}/${partition}`, records.at(-1)!.offset + 1);
      },
      onGap: (error) => problems.push(error),
      onFatal: (error) => problems.push(error),
    });
    try {
      await fixture.produce(events, ['0']);
      await accept(consumer, queue, ['a0', 'b0']);
      while (consumed.length < 1) await delay(20);
      await coordinateOnSecond(queue.group);

      await fixture.produce(queue, ['held']);
      const [held] = await take(consumer, 1);
      await pair.second.stop();
      await accept(consumer, queue, ['a1', 'b1']);
      expect((await consumer.renew([held!])).lost).to.deep.equal([]);
      await fixture.produce(events, ['1']);
      while ((await coordinatorOf(queue.group)) !== 1) await delay(50);
      await untilMembers(consumer, reading);

      await pair.second.start();
      await coordinateOnSecond(queue.group);
      await accept(consumer, queue, ['a2', 'b2']);
      await fixture.produce(events, ['2']);
      await untilMembers(consumer, reading);
      expect(held!.session.lost).to.equal(false);
      consumer.accept(held!);
      await consumer.settled();
      expect(await consumer.fetch({ maxRecords: 5, maxWaitMs: 500 })).to.deep.equal([]);
      expect(consumer.health()).to.deep.include({ sessionsLost: 0, held: 0 });
      expect(consumer.health().acknowledgements).to.include({ accepted: 7, invalidState: 0, lostWithSession: 0 });
      while (consumed.length < 3) await delay(20);
      expect(consumed).to.deep.equal(['0', '1', '2']);
      expect(problems).to.deep.equal([]);
    } finally {
      await reading.close();
    }
  });
});

/** Until both are members again, by a heartbeat that is younger than this call. */
async function untilMembers(consumer: QueueConsumer, reading: ReturnType<typeof createEventConsumer>): Promise<void> {
  const from = performance.now();
  const isYoung = (sinceMs: number | undefined) => sinceMs !== undefined && sinceMs < performance.now() - from;
  for (;;) {
    const [queue, events] = [consumer.health(), reading.health()];
    if (
      queue.membership === 'member' &&
      events.membership === 'member' &&
      isYoung(queue.sinceHeartbeatMs) &&
      isYoung(events.sinceHeartbeatMs)
    )
      return;
    await delay(50);
  }
}
