import { connectCluster } from '@taskflow/log/cluster';
import { expect } from 'chai';
import { type Broker, startBroker } from './broker.ts';
import { freePorts } from './testing/freePorts.ts';
import { temporaryFolder } from './testing/temporaryFolder.ts';

describe('startBroker', function () {
  // Each of several starts takes seconds, on a busy machine many.
  this.timeout(240_000);
  const stateDir = temporaryFolder();
  let broker: Broker;
  before(async () => {
    const [port = 0, controllerPort] = await freePorts(2);
    broker = await startBroker({ stateDir, port, controllerPort, extraProperties: { 'num.partitions': 5 } });
  });
  after(() => broker?.stop());

  /** The values on partition 0 of a topic, as a client reads them. */
  const values = async (topic: string, count: number): Promise<string[]> => {
    const cluster = await connectCluster({ brokers: [broker.address], clientId: 'test' });
    const consumer = cluster.kafkajs.consumer({ groupId: `read-${count}` });
    const read: string[] = [];
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await new Promise<void>((resolve) => {
        void consumer.run({
          eachMessage: async ({ message }) => {
            read.push(String(message.value));
            if (read.length === count) resolve();
          },
        });
      });
    } finally {
      await consumer.disconnect();
      await cluster.close();
    }
    return read;
  };

  const append = async (topic: string, value: string): Promise<void> => {
    const cluster = await connectCluster({ brokers: [broker.address], clientId: 'test' });
    const producer = cluster.kafkajs.producer({ allowAutoTopicCreation: false });
    try {
      await producer.connect();
      await producer.send({ topic, messages: [{ partition: 0, value }] });
    } finally {
      await producer.disconnect();
      await cluster.close();
    }
  };

  it('runs with the settings given to it', async () => {
    const cluster = await connectCluster({ brokers: [broker.address], clientId: 'test' });
    const admin = cluster.kafkajs.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept' }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: ['kept'] });
    await admin.disconnect();
    await cluster.close();
    expect(topics[0]?.partitions).to.have.length(5);
  });

  it('keeps its data over a stop and over a kill', async () => {
    await append('kept', 'before the stop');
    await broker.stop();
    expect(broker.pid).to.equal(undefined);
    await broker.start();
    await append('kept', 'before the kill');
    await broker.kill();
    await broker.start();
    expect(await values('kept', 2)).to.deep.equal(['before the stop', 'before the kill']);
  });

  it('refuses a second broker on the folder of a living one', async () => {
    const [port = 0] = await freePorts(1);
    const error = await startBroker({ stateDir, port }).catch((reason: Error) => reason);
    expect(error).to.have.property('message', `kafka was not started: another broker runs on ${stateDir}`);
    await append('kept', 'the first still serves');
  });
});
