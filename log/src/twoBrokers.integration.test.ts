import { setImmediate as nextTick } from 'node:timers/promises';
import { expect } from 'chai';
import { endOffsets, follow } from './reader.ts';
import { type BrokerPair, startBrokerPair } from './testing/brokerPair.ts';
import { type LogFixture, logFixture } from './testing/logFixture.ts';

const partitions = [0, 1, 2, 3];

describe('two brokers', function () {
  this.timeout(240_000);
  let pair: BrokerPair;
  let fixture: LogFixture;
  before(async () => {
    pair = await startBrokerPair();
    fixture = await logFixture([pair.first.address]);
  });
  after(async () => {
    await fixture?.close();
    await pair?.close();
  });

  const leaders = async (topic: string) => {
    await fixture.cluster.refresh([topic]);
    return (await fixture.cluster.topic(topic)).partitions.map(({ leader }) => leader);
  };

  const appendTo = (appender: ReturnType<LogFixture['appender']>, topic: string, value: string) =>
    appender.append(partitions.map((partition) => ({ topic, partition, key: null, value: Buffer.from(value) })));

  it('each get what they lead, and all is read from both', async () => {
    const topic = await fixture.topic({ partitions: 4 });
    expect(await leaders(topic))
      .to.include(1)
      .and.include(2);
    const appender = fixture.appender();
    await appendTo(appender, topic, 'x');
    expect((await endOffsets(fixture.cluster, [topic])).get(topic)).to.deep.equal([1, 1, 1, 1]);
    for (const partition of partitions) expect(await fixture.values(topic, partition)).to.deep.equal(['x']);
  });

  it('take over from each other, while everything stays in order and once in the log', async () => {
    const topic = await fixture.topic({ partitions: 4, replicas: 2 });
    const appender = fixture.appender({ deliveryTimeoutMs: 120_000 });
    const stop = new AbortController();
    const followed: string[][] = partitions.map(() => []);
    const follower = follow(fixture.cluster, {
      topics: [topic],
      from: 'start',
      signal: stop.signal,
      onRecords(records) {
        for (const { partition, value } of records) followed[partition]!.push(String(value));
      },
    });
    const sent: string[] = [];
    let running = true;
    const load = (async () => {
      for (let i = 0; running; i++) {
        const value = `v${i}`;
        await appendTo(appender, topic, value);
        sent.push(value);
      }
    })();
    const more = async (count: number) => {
      const goal = sent.length + count;
      while (sent.length < goal) await Promise.race([nextTick(), load]);
    };
    await more(50);
    await pair.second.stop();
    await more(50);
    expect(await leaders(topic)).to.deep.equal([1, 1, 1, 1]);
    await pair.second.start();
    await more(50);
    await pair.second.kill();
    await more(50);
    await pair.second.start();
    running = false;
    await load;
    for (const partition of partitions) expect(await fixture.values(topic, partition)).to.deep.equal(sent);
    while (followed.some((values) => values.length < sent.length)) await Promise.race([nextTick(), follower.done]);
    for (const values of followed) expect(values).to.deep.equal(sent);
    stop.abort();
    await follower.done;
  });

  it('acknowledge nothing while a replica is missing that is asked for', async () => {
    const topic = await fixture.topic({ partitions: 1, replicas: 2, config: { 'min.insync.replicas': '2' } });
    const appender = fixture.appender({ deliveryTimeoutMs: 120_000 });
    const append = (value: string) => appender.append([{ topic, partition: 0, key: null, value: Buffer.from(value) }]);
    await append('both');
    await pair.second.stop();
    let acknowledged = false;
    const appending = append('again both').then(() => {
      acknowledged = true;
    });
    while (appender.stats.retries < 3) await nextTick();
    expect(acknowledged).to.equal(false);
    await pair.second.start();
    await appending;
    expect(await fixture.values(topic)).to.deep.equal(['both', 'again both']);
    expect(appender.stats.producerIds).to.equal(1);
  });
});
