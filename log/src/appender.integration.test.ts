import { expect } from 'chai';
import type { AppendRecord } from './appender.ts';
import { resourceType, setConfigs } from './configs.ts';
import {
  BackPressureError,
  ClosedError,
  type KafkaError,
  PartialAppendError,
  RecordTooLargeError,
  UnknownTopicError,
} from './errors.ts';
import { type LogFixture, logFixture } from './testing/logFixture.ts';
import { rejection } from './testing/rejection.ts';

function record(topic: string, value: string | Buffer, partition = 0): AppendRecord {
  return { topic, partition, key: 'key', value: Buffer.from(value) };
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `v${from + i}`);

describe('appender', () => {
  let fixture: LogFixture;
  before(async () => {
    fixture = await logFixture();
  });
  after(() => fixture?.close());

  it('gives each record its position, and the broker its key, value and headers', async () => {
    const topic = await fixture.topic({ partitions: 2 });
    const appender = fixture.appender();
    const positions = await appender.append([
      { topic, partition: 1, key: 'a', value: Buffer.from('1'), headers: { traceparent: '00-ab' } },
      { topic, partition: 0, key: Buffer.from('b'), value: Buffer.from('2') },
      { topic, partition: 1, key: null, value: null },
    ]);
    expect(positions.map(({ partition, offset }) => [partition, offset])).to.deep.equal([
      [1, 0],
      [0, 0],
      [1, 1],
    ]);
    const [first, second] = await fixture.read(topic, 1);
    expect(first).to.deep.include({
      key: Buffer.from('a'),
      value: Buffer.from('1'),
      headers: { traceparent: '00-ab' },
    });
    expect(second).to.include({ key: null, value: null, headers: undefined });
    expect(first?.appendedAt).to.equal(positions[0]?.appendedAt);
    expect(await appender.append([])).to.deep.equal([]);
  });

  it('keeps the order of a partition within calls and between them', async () => {
    const topic = await fixture.topic({ partitions: 3 });
    const appender = fixture.appender();
    const sent: string[][] = [[], [], []];
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 3_000; i += 10) {
      const records = numbered(10, i).map((value, j) => {
        const partition = (i + j) % 3;
        sent[partition]!.push(value);
        return record(topic, value, partition);
      });
      calls.push(appender.append(records));
      if (i % 500 === 0) await calls.at(-1);
    }
    await Promise.all(calls);
    for (const partition of [0, 1, 2]) expect(await fixture.values(topic, partition)).to.deep.equal(sent[partition]);
    expect(appender.stats).to.include({ records: 3_000, failed: 0, bytesInFlight: 0, producerIds: 1 });
  });

  it('puts what is appended in one tick into one request', async () => {
    const topic = await fixture.topic({ partitions: 2 });
    const appender = fixture.appender();
    await appender.append([record(topic, 'first')]);
    const before = appender.stats.requests;
    await Promise.all(numbered(500).map((value, i) => appender.append([record(topic, value, i % 2)])));
    expect(appender.stats.requests).to.equal(before + 1);
  });

  it('splits what does not fit one batch, by the limit of the topic', async () => {
    const topic = await fixture.topic({ config: { 'max.message.bytes': '10000' } });
    const appender = fixture.appender();
    const values = numbered(200).map((value) => value.padEnd(500, '.'));
    await appender.append(values.map((value) => record(topic, value)));
    expect(await fixture.values(topic)).to.deep.equal(values);
    expect(appender.stats.retries).to.equal(0);
    expect(appender.stats.requests).to.be.at.least(10);
  });

  it('makes batches of no more records than asked for, one a request', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender({ maxBatchRecords: 50 });
    await appender.append([record(topic, 'first')]);
    const before = appender.stats.requests;
    const values = numbered(120);
    await appender.append(values.map((value) => record(topic, value)));
    expect(await fixture.values(topic)).to.deep.equal(['first', ...values]);
    expect(appender.stats.requests).to.equal(before + 3);
  });

  it('lets gather what comes soon after a request of many records', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender({ maxRequestIntervalMs: 1_000 });
    await appender.append([record(topic, 'first')]);
    const before = appender.stats.requests;
    await appender.append(numbered(1_000).map((value) => record(topic, value)));
    const later: Promise<unknown>[] = [];
    for (const value of numbered(10)) {
      later.push(appender.append([record(topic, value)]));
      await new Promise(setImmediate);
    }
    await Promise.all(later);
    expect(appender.stats.requests).to.equal(before + 2);
    expect((await fixture.values(topic)).slice(-10)).to.deep.equal(numbered(10));
  });

  it('refuses a record that is too large, and none beside it', async () => {
    const topic = await fixture.topic({ config: { 'max.message.bytes': '10000' } });
    const appender = fixture.appender();
    const others = appender.append(numbered(5).map((value) => record(topic, value)));
    const alone = rejection(appender.append([record(topic, Buffer.alloc(20_000))]));
    const among = rejection(
      appender.append([record(topic, 'good'), record(topic, Buffer.alloc(10_000)), record(topic, 'too')]),
    );
    await others;
    expect(await alone)
      .to.be.instanceOf(RecordTooLargeError)
      .and.include({ topic, limit: 10_000 });
    const error = (await among) as PartialAppendError;
    expect(error).to.be.instanceOf(PartialAppendError);
    expect(error.outcomes[0]).to.include({ offset: 5 });
    expect(error.outcomes[1]).to.be.instanceOf(RecordTooLargeError);
    expect(error.outcomes[2]).to.include({ offset: 6 });
    expect(await fixture.values(topic)).to.deep.equal([...numbered(5), 'good', 'too']);
  });

  it('takes a record to the byte of the limit', async () => {
    const topic = await fixture.topic({ config: { 'max.message.bytes': '1000' } });
    const appender = fixture.appender();
    const overhead = 61 + 9;
    await appender.append([{ topic, partition: 0, key: null, value: Buffer.alloc(1_000 - overhead) }]);
    const error = await rejection(
      appender.append([{ topic, partition: 0, key: null, value: Buffer.alloc(1_000 - overhead + 1) }]),
    );
    expect(error).to.be.instanceOf(RecordTooLargeError).and.include({ size: 1_001 });
  });

  it('goes on when the limit of the topic is lowered under it', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender();
    await appender.append([record(topic, 'first')]);
    await setConfigs(fixture.cluster, resourceType.topic, new Map([[topic, { 'max.message.bytes': '5000' }]]));
    const values = numbered(100).map((value) => value.padEnd(200, '.'));
    const calls = values.map((value) => appender.append([record(topic, value)]));
    const tooLarge = rejection(appender.append([record(topic, Buffer.alloc(6_000))]));
    await Promise.all(calls);
    expect(await tooLarge).to.be.instanceOf(RecordTooLargeError);
    expect(await fixture.values(topic)).to.deep.equal(['first', ...values]);
  });

  it('reads the limit anew for all partitions when one batch shows that it was lowered', async () => {
    const topic = await fixture.topic({ partitions: 3 });
    const appender = fixture.appender();
    await appender.append([record(topic, 'first')]);
    await setConfigs(fixture.cluster, resourceType.topic, new Map([[topic, { 'max.message.bytes': '5000' }]]));
    const values = numbered(300).map((value) => value.padEnd(200, '.'));
    await Promise.all(values.map((value, i) => appender.append([record(topic, value, i % 3)])));
    const [zero, one, two] = await Promise.all([0, 1, 2].map((partition) => fixture.values(topic, partition)));
    const of = (partition: number) => values.filter((_, i) => i % 3 === partition);
    expect([zero, one, two]).to.deep.equal([['first', ...of(0)], of(1), of(2)]);
    expect(appender.stats.failed).to.equal(0);
  });

  it('refuses to its caller alone what the broker finds invalid', async () => {
    const topic = await fixture.topic({ config: { 'cleanup.policy': 'compact' } });
    const appender = fixture.appender();
    const keyless: AppendRecord = { topic, partition: 0, key: null, value: Buffer.from('no key') };
    const calls = [
      appender.append([record(topic, 'a')]),
      appender.append([keyless]),
      appender.append([record(topic, 'b')]),
    ];
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    expect((await rejection(calls[1]!)) as KafkaError).to.include({ name: 'INVALID_RECORD', retriable: false });
    await appender.append([record(topic, 'c')]);
    expect(await fixture.values(topic)).to.deep.equal(['a', 'b', 'c']);
  });

  it('says that a topic or a partition does not exist, and appends the rest', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender();
    const error = (await rejection(
      appender.append([record(topic, 'a'), record('test.nowhere', 'b'), record(topic, 'c', 7)]),
    )) as PartialAppendError;
    expect(error.outcomes[0]).to.include({ offset: 0 });
    expect(error.outcomes[1]).to.be.instanceOf(UnknownTopicError).and.have.property('topic', 'test.nowhere');
    expect(error.outcomes[2])
      .to.be.instanceOf(UnknownTopicError)
      .and.have.property('message')
      .that.includes('partition 7');
  });

  it('goes on in a topic that is deleted and made anew under it', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender();
    await appender.append(numbered(3).map((value) => record(topic, value)));
    await fixture.deleteTopic(topic);
    expect(await rejection(appender.append([record(topic, 'lost')]))).to.be.instanceOf(UnknownTopicError);
    await fixture.createTopic(topic);
    const [position] = await appender.append([record(topic, 'again')]);
    expect(position).to.include({ offset: 0 });
    expect(await fixture.values(topic)).to.deep.equal(['again']);
  });

  it('waits for a topic that comes a moment later', async () => {
    const topic = `test.later.${process.pid}.${Date.now()}`;
    const appender = fixture.appender();
    const appending = appender.append([record(topic, 'early')]);
    await fixture.createTopic(topic);
    expect(await appending).to.have.length(1);
  });

  it('gives its own time where the topic keeps those of producers', async () => {
    const topic = await fixture.topic({ config: { 'message.timestamp.type': 'CreateTime' } });
    const before = Date.now();
    const [position] = await fixture.appender().append([record(topic, 'x')]);
    expect(position?.appendedAt).to.be.within(before, Date.now());
    expect((await fixture.read(topic))[0]?.appendedAt).to.equal(position?.appendedAt);
  });

  it('refuses what is more than it may hold, and takes it later', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender({ maxBytesInFlight: 100_000 });
    const value = Buffer.alloc(10_000);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, () => {
        const call = appender.append([record(topic, value)]);
        const { bytesInFlight, bytesWaiting } = appender.stats;
        expect(bytesInFlight).to.be.at.most(100_000);
        expect(bytesWaiting).to.be.at.most(100_000);
        return call;
      }),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused.length).to.be.within(20, 24);
    for (const { reason } of refused) expect(reason).to.be.instanceOf(BackPressureError);
    expect(await fixture.read(topic)).to.have.length(40 - refused.length);
    await appender.append(Array.from({ length: 30 }, () => record(topic, value)));
  });

  it('ends what it has taken before it closes, and takes no more', async () => {
    const topic = await fixture.topic();
    const appender = fixture.appender();
    const calls = numbered(50).map((value) => appender.append([record(topic, value)]));
    const closing = appender.close();
    expect(await rejection(appender.append([record(topic, 'late')]))).to.be.instanceOf(ClosedError);
    await closing;
    await Promise.all(calls);
    expect(await fixture.values(topic)).to.deep.equal(numbered(50));
  });
});
