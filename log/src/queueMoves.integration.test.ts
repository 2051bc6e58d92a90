import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { type BrokerPair, startBrokerPair } from './testing/brokerPair.ts';
import { type QueueFixture, queueFixture, type TestQueue, take, values } from './testing/queueFixture.ts';

describe('queue consumer, when leaders move', function () {
  this.timeout(240_000);
  let pair: BrokerPair;
  let fixture: QueueFixture;
  before(async () => {
    pair = await startBrokerPair();
    fixture = await queueFixture([pair.first.address]);
  });
  after(async () => {
    await fixture?.close();
    await pair?.close();
  });

  const leaderOf = async ({ topic }: TestQueue) => {
    await fixture.cluster.refresh([topic]);
    return (await fixture.cluster.leader(topic, 0)).brokerId;
  };

  const moveTo = async (queue: TestQueue, brokerId: number) => {
    await fixture.admin.alterPartitionReassignments({
      topics: [{ topic: queue.topic, partitionAssignment: [{ partition: 0, replicas: [brokerId] }] }],
    });
    while ((await leaderOf(queue)) !== brokerId) await delay(20);
  };

  it('takes what comes after each move, to a broker and back again', async () => {
    const queue = await fixture.queue();
    const consumer = await fixture.open(queue, {}, await fixture.connect());
    const first = await leaderOf(queue);
    for (const [round, leader] of [first, 3 - first, first, 3 - first].entries()) {
      await moveTo(queue, leader);
      await fixture.produce(queue, [`round ${round}`]);
      const records = await take(consumer, 1);
      expect(values(records)).to.deep.equal([`round ${round}`]);
      for (const record of records) consumer.accept(record);
      await consumer.settled();
    }
  });

  it('goes on when the one broker of a queue comes back from a crash', async () => {
    const queue = await fixture.queue();
    await moveTo(queue, 2);
    const consumer = await fixture.open(queue, {}, await fixture.connect());
    for (const round of [1, 2, 3]) {
      await fixture.produce(queue, [`round ${round}`]);
      const records = await take(consumer, 1, 60_000);
      expect(values(records)).to.deep.equal([`round ${round}`]);
      for (const record of records) consumer.accept(record);
      await consumer.settled();
      await pair.second.kill();
      await pair.second.start();
    }
  });
});
