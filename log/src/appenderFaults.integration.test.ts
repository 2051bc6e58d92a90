import { setImmediate as nextTick } from 'node:timers/promises';
import { expect } from 'chai';
import type { AppendedPosition, Appender, AppendRecord } from './appender.ts';
import { BrokerUnavailableError, KafkaError } from './errors.ts';
import { BatchBuilder } from './recordBatch/batchBuilder.ts';
import { layout } from './recordBatch/layout.ts';
import { type LogFixture, logFixture } from './testing/logFixture.ts';
import { rejection } from './testing/rejection.ts';
import { type SpoiledBroker, startSpoiledBroker } from './testing/spoiledBroker.ts';
import { fetch } from './wire/messages/fetch.ts';
import { produce, produceApiKey } from './wire/messages/produce.ts';

const initProducerIdKey = 22;
const partitions = [0, 1, 2];

function record(topic: string, value: string, partition = 0): AppendRecord {
  return { topic, partition, key: 'key', value: Buffer.from(value) };
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `v${from + i}`);

describe('appender under faults', function () {
  this.timeout(240_000);
  let spoiled: SpoiledBroker;
  let fixture: LogFixture;
  before(async () => {
    // One second of idleness is an hour's worth: the broker closes connections then.
    spoiled = await startSpoiledBroker({ 'connections.max.idle.ms': 1_000 });
    fixture = await logFixture([spoiled.proxy.address]);
  });
  afterEach(() => spoiled.proxy.heal());
  after(async () => {
    await fixture?.close();
    await spoiled?.close();
  });

  /** Appends until told to stop, and keeps what was acknowledged, in order for each partition. */
  function startLoad(appender: Appender, topic: string) {
    const acknowledged: string[][] = partitions.map(() => []);
    const failed: Error[] = [];
    let stopped = false;
    const load = async (partition: number) => {
      for (let next = 0; !stopped; next += 20) {
        const values = numbered(20, next);
        try {
          await appender.append(values.map((value) => record(topic, value, partition)));
          acknowledged[partition]!.push(...values);
        } catch (error) {
          failed.push(error as Error);
        }
        await nextTick();
      }
    };
    const done = Promise.all(partitions.map(load));
    return {
      acknowledged,
      failed,
      async stop() {
        stopped = true;
        await done;
      },
      /** Resolves when so many records of each partition have been acknowledged from now on. */
      async more(count: number) {
        const goals = acknowledged.map((ofPartition) => ofPartition.length + count);
        while (acknowledged.some((ofPartition, partition) => ofPartition.length < goals[partition]!)) await nextTick();
      },
    };
  }

  async function expectLogIs(topic: string, acknowledged: readonly string[][]) {
    for (const partition of partitions) {
      expect(await fixture.values(topic, partition), `partition ${partition}`).to.deep.equal(acknowledged[partition]);
    }
  }

  it('has everything in the log once and in order when answers are lost', async () => {
    const topic = await fixture.topic({ partitions: 3 });
    const appender = fixture.appender();
    const load = startLoad(appender, topic);
    await load.more(100);
    for (let round = 0; round < 5; round++) {
      await spoiled.proxy.inject({ fault: 'loseResponse', apiKey: produceApiKey }).struck;
      await load.more(40);
    }
    await load.stop();
    expect(load.failed).to.deep.equal([]);
    expect(appender.stats.retries).to.be.at.least(5);
    expect(appender.stats.producerIds).to.equal(1);
    await expectLogIs(topic, load.acknowledged);
  });

  it('has everything in the log once and in order when connections are cut at any moment', async () => {
    const topic = await fixture.topic({ partitions: 3 });
    const appender = fixture.appender();
    const load = startLoad(appender, topic);
    for (let round = 0; round < 5; round++) {
      await load.more(60);
      await spoiled.proxy.inject({ fault: 'loseRequest', apiKey: produceApiKey }).struck;
      await load.more(20);
      spoiled.proxy.cutAll();
    }
    await load.more(20);
    await load.stop();
    expect(load.failed).to.deep.equal([]);
    expect(appender.stats.producerIds).to.equal(1);
    await expectLogIs(topic, load.acknowledged);
  });

  it('sends the same batch again where the answer never comes', async () => {
    const topic = await fixture.topic();
    const impatient = await fixture.connect({ requestTimeoutMs: 500 });
    const appender = fixture.appender({}, impatient);
    await appender.append([record(topic, 'first')]);
    const { struck } = spoiled.proxy.inject({ fault: 'swallowResponse', apiKey: produceApiKey });
    const appending = appender.append([record(topic, 'second')]);
    await struck;
    expect((await appending)[0]).to.include({ offset: 1 });
    expect(await fixture.values(topic)).to.deep.equal(['first', 'second']);
  });

  it('notices a connection that the broker closed while it was idle, without a word to its caller', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender();
    await appender.append([record(topic, 'before')]);
    while (spoiled.proxy.connections > 0) await nextTick();
    await appender.append([record(topic, 'after')]);
    expect(await fixture.values(topic)).to.deep.equal(['before', 'after']);
    expect(appender.stats.retries).to.equal(0);
  });

  it('gives up after the delivery time-out, keeps order, and goes on when the broker answers again', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender({ deliveryTimeoutMs: 700 });
    await appender.append([record(topic, 'before')]);
    spoiled.proxy.refuse();
    spoiled.proxy.cutAll();
    const errors = await Promise.all(numbered(3).map((value) => rejection(appender.append([record(topic, value)]))));
    for (const error of errors) {
      expect(error)
        .to.be.instanceOf(BrokerUnavailableError)
        .and.have.property('message')
        .that.includes('may or may not');
    }
    expect(appender.stats).to.include({ bytesInFlight: 0, failed: 3 });
    spoiled.proxy.heal();
    let after: readonly AppendedPosition[] | undefined;
    while (!after) after = await appender.append([record(topic, 'after')]).catch(() => undefined);
    const values = await fixture.values(topic);
    expect(values[0]).to.equal('before');
    expect(values.at(-1)).to.equal('after');
  });

  it('gives up in time where the broker only hangs', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender({ deliveryTimeoutMs: 700 });
    await appender.append([record(topic, 'before')]);
    spoiled.proxy.freeze();
    expect(await rejection(appender.append([record(topic, 'hangs')]))).to.be.instanceOf(BrokerUnavailableError);
    spoiled.proxy.heal();
    let after: readonly AppendedPosition[] | undefined;
    while (!after) after = await appender.append([record(topic, 'after')]).catch(() => undefined);
    expect((await fixture.values(topic)).at(-1)).to.equal('after');
  });

  it('asks again for a producer id where its answer is lost', async () => {
    const topic = await fixture.topic();
    const { struck } = spoiled.proxy.inject({ fault: 'loseResponse', apiKey: initProducerIdKey, times: 2 });
    const appending = fixture.appender().append([record(topic, 'x')]);
    await struck;
    expect(await appending).to.have.length(1);
  });

  /** The producer id in the last batch of the log. */
  async function lastProducer(topic: string): Promise<{ id: number; nextSequence: number }> {
    const { id: topicId } = await fixture.cluster.topic(topic);
    const [last] = (await fixture.read(topic)).slice(-1);
    const position = { topicId, partition: 0, offset: last!.offset, leaderEpoch: -1, lastFetchedEpoch: -1 };
    const limits = { maxWaitMs: 100, maxBytes: 1_000_000, partitionMaxBytes: 1_000_000 };
    const { partitions: answers } = await fixture.cluster.request('any', fetch([position], limits));
    const batch = answers[0]!.records!;
    return {
      id: Number(batch.readBigInt64BE(layout.producerId)),
      nextSequence: batch.readInt32BE(layout.baseSequence) + batch.readInt32BE(layout.recordCount),
    };
  }

  /** Somebody else writes under the appender's own producer id: a batch that it cannot know of. */
  async function intrude(topic: string, epoch: number, values: readonly string[]) {
    const { id, nextSequence } = await lastProducer(topic);
    const builder = new BatchBuilder();
    for (const value of values) builder.tryAdd('key', Buffer.from(value), undefined, 1_000_000);
    const baseSequence = epoch === 0 ? nextSequence : 0;
    const batch = builder.seal({ producerId: id, producerEpoch: epoch, baseSequence });
    const { partitions: answers } = await fixture.cluster.request(
      'any',
      produce([{ topic, partition: 0, batch }], 5_000),
    );
    if (answers[0]!.errorCode !== 0) throw new KafkaError(answers[0]!.errorCode, 'intrusion');
  }

  it('goes on under a new producer id after OUT_OF_ORDER_SEQUENCE_NUMBER', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender();
    await appender.append([record(topic, 'first')]);
    await intrude(topic, 0, ['x', 'y', 'z']);
    const calls = numbered(3).map((value) => appender.append([record(topic, value), record(topic, `${value}+`)]));
    await Promise.all(calls);
    expect(await fixture.values(topic)).to.deep.equal(['first', 'x', 'y', 'z', 'v0', 'v0+', 'v1', 'v1+', 'v2', 'v2+']);
    expect(appender.stats.producerIds).to.equal(2);
  });

  it('goes on under a new producer id after INVALID_PRODUCER_EPOCH', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender();
    await appender.append([record(topic, 'first')]);
    await intrude(topic, 1, ['x']);
    await appender.append([record(topic, 'second')]);
    expect(await fixture.values(topic)).to.deep.equal(['first', 'x', 'second']);
    expect(appender.stats.producerIds).to.equal(2);
  });

  it('keeps memory bounded while the broker hangs', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender({ maxBytesInFlight: 1_000_000, deliveryTimeoutMs: 3_000 });
    await appender.append([record(topic, 'first')]);
    spoiled.proxy.freeze();
    const value = 'x'.repeat(1_000);
    const calls = Array.from({ length: 5_000 }, () => appender.append([record(topic, value)]));
    const { bytesInFlight, bytesWaiting } = appender.stats;
    expect(bytesInFlight + bytesWaiting).to.be.within(1_900_000, 2_000_000);
    spoiled.proxy.heal();
    const outcomes = await Promise.allSettled(calls);
    const appended = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(appended).to.be.within(1_700, 1_900);
    expect(await fixture.read(topic)).to.have.length(1 + appended);
    expect(appender.stats).to.include({ bytesInFlight: 0, bytesWaiting: 0 });
  });

  it('rides out a broker that is stopped and started, whose leader epoch grows', async () => {
    const topic = await fixture.topic({ partitions: 3 });
    const epochBefore = (await fixture.cluster.leader(topic, 0)).leaderEpoch;
    const appender = fixture.appender({ deliveryTimeoutMs: 60_000 });
    const load = startLoad(appender, topic);
    await load.more(200);
    await spoiled.broker.stop();
    await spoiled.broker.start();
    await load.more(200);
    await load.stop();
    expect(load.failed).to.deep.equal([]);
    expect((await fixture.cluster.leader(topic, 0)).leaderEpoch).to.be.above(epochBefore);
    expect(appender.stats.producerIds).to.equal(1);
    await expectLogIs(topic, load.acknowledged);
  });

  it('rides out a broker that is killed and started', async () => {
    const topic = await fixture.topic({ partitions: 3 });
    const appender = fixture.appender({ deliveryTimeoutMs: 60_000 });
    const load = startLoad(appender, topic);
    await load.more(200);
    await spoiled.broker.kill();
    await spoiled.broker.start();
    await load.more(200);
    await load.stop();
    expect(load.failed).to.deep.equal([]);
    await expectLogIs(topic, load.acknowledged);
  });
});
