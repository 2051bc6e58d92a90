import { setImmediate as nextTick } from 'node:timers/promises';
import { expect } from 'chai';
import type { AppendRecord } from './appender.ts';
import { endOffsets, follow, lastRecordOfOldLeader, readRange } from './reader.ts';
import { type LogFixture, logFixture } from './testing/logFixture.ts';
import { type SpoiledBroker, startSpoiledBroker } from './testing/spoiledBroker.ts';
import { fetchApiKey } from './wire/messages/fetch.ts';

const listOffsetsKey = 2;
const metadataKey = 3;

function record(topic: string, value: string, partition = 0): AppendRecord {
  return { topic, partition, key: 'key', value: Buffer.from(value) };
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`);

describe('reader under faults', function () {
  this.timeout(240_000);
  let spoiled: SpoiledBroker;
  let fixture: LogFixture;
  before(async () => {
    spoiled = await startSpoiledBroker();
    fixture = await logFixture([spoiled.proxy.address]);
  });
  afterEach(() => spoiled.proxy.heal());
  after(async () => {
    await fixture?.close();
    await spoiled?.close();
  });

  it('reads each record once when answers are lost and connections cut', async () => {
    const topic = await fixture.topic();
    const values = numbered(200).map((value) => value.padEnd(1_000, '.'));
    await fixture.appender().append(values.map((value) => record(topic, value)));
    for (const apiKey of [metadataKey, listOffsetsKey]) spoiled.proxy.inject({ fault: 'loseResponse', apiKey });
    const read: string[] = [];
    let chunks = 0;
    for await (const records of readRange(fixture.cluster, { topic, partition: 0, from: 'start', maxBytes: 10_000 })) {
      read.push(...records.map(({ value }) => String(value)));
      chunks++;
      if (chunks % 3 === 1) spoiled.proxy.inject({ fault: 'loseResponse', apiKey: fetchApiKey });
      if (chunks % 5 === 2) spoiled.proxy.cutAll();
    }
    expect(read).to.deep.equal(values);
  });

  it('asks again for offsets', async () => {
    const topic = await fixture.topic({ partitions: 3 });
    await fixture.appender().append([record(topic, 'x', 1)]);
    spoiled.proxy.inject({ fault: 'loseResponse', apiKey: listOffsetsKey, times: 2 });
    expect((await endOffsets(fixture.cluster, [topic])).get(topic)).to.deep.equal([0, 1, 0]);
  });

  it('follows through cuts, hangs and a restart of the broker, each record once and in order', async () => {
    const topic = await fixture.topic({ partitions: 2 });
    const impatient = await fixture.connect({ requestTimeoutMs: 1_000 });
    const appender = fixture.appender({ deliveryTimeoutMs: 60_000 });
    const stop = new AbortController();
    const followed: string[][] = [[], []];
    const follower = follow(impatient, {
      topics: [topic],
      from: 'start',
      signal: stop.signal,
      onRecords(records) {
        for (const { partition, value } of records) followed[partition]!.push(String(value));
      },
    });
    const sent: string[][] = [[], []];
    const send = async (value: string) => {
      for (const partition of [0, 1]) sent[partition]!.push(value);
      await appender.append([0, 1].map((partition) => record(topic, value, partition)));
    };
    const arrived = async () => {
      while (followed.some((values, partition) => values.length < sent[partition]!.length)) {
        await Promise.race([nextTick(), follower.done]);
      }
    };
    await send('first');
    await arrived();
    spoiled.proxy.cutAll();
    await send('after cut');
    await arrived();
    const { struck } = spoiled.proxy.inject({ fault: 'loseResponse', apiKey: fetchApiKey });
    await send('after lost answer');
    await struck;
    await arrived();
    const hanging = spoiled.proxy.inject({ fault: 'swallowResponse', apiKey: fetchApiKey });
    await send('after a hang');
    await hanging.struck;
    await arrived();
    await spoiled.broker.kill();
    await spoiled.broker.start();
    await send('after restart');
    await arrived();
    stop.abort();
    await follower.done;
    expect(followed).to.deep.equal(sent);
  });

  it('finds the last record that the leader before the present one appended', async () => {
    const topic = await fixture.topic();
    expect(await lastRecordOfOldLeader(fixture.cluster, topic, 0)).to.equal(undefined);
    const appender = fixture.appender({ deliveryTimeoutMs: 60_000 });
    await appender.append(numbered(20).map((value) => record(topic, value)));
    await spoiled.broker.kill();
    await spoiled.broker.start();
    await appender.append([record(topic, 'new leader')]);
    await fixture.cluster.refresh([topic]);
    const last = await lastRecordOfOldLeader(fixture.cluster, topic, 0);
    expect(last).to.include({ offset: 19, leaderEpoch: 0 });
    expect(String(last!.value)).to.equal('v19');
  });
});
