import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createAppender } from './appender.ts';
import type { Cluster } from './cluster.ts';
import { createEventConsumer } from './eventConsumer.ts';
import { silentLogger } from './logger.ts';
import { follow, readRange } from './reader.ts';
import { type ClientQuotas, setClientQuotas } from './testing/clientQuotas.ts';
import { type QueueFixture, queueFixture, take, testLogger, values } from './testing/queueFixture.ts';
import { type SpoiledBroker, startSpoiledBroker } from './testing/spoiledBroker.ts';

const produceKey = 0;
const fetchKey = 1;
const shareFetchKey = 78;

/** Of which the quotas below let some through in the two seconds that this broker judges by. */
const bulky = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`.padEnd(3_000, '.'));

describe('throttled by the broker', function () {
  this.timeout(120_000);
  let spoiled: SpoiledBroker;
  let fixture: QueueFixture;
  before(async () => {
    spoiled = await startSpoiledBroker({ 'quota.window.num': 2, 'quota.window.size.seconds': 1 });
    fixture = await queueFixture([spoiled.proxy.address]);
    // the first member of all waits for the coordinator's topics, which would be a warning
    const consumer = await fixture.open(await fixture.queue());
    while (consumer.health().membership !== 'member') await consumer.fetch({ maxRecords: 1, maxWaitMs: 50 });
  });
  after(async () => {
    await fixture?.close();
    await spoiled?.close();
  });

  /** A client with these quotas in force, which counts how often it is told to pause. */
  async function throttledClient(quotas: ClientQuotas) {
    const clientId = randomUUID();
    await setClientQuotas(fixture.cluster, clientId, quotas);
    const throttled = new Map<string, number>();
    const warnings: string[] = [];
    const cluster = await fixture.connect({
      clientId,
      logger: {
        ...silentLogger,
        debug(message, fields) {
          const { request } = (fields ?? {}) as { request?: string };
          if (/throttles/.test(message)) throttled.set(request!, (throttled.get(request!) ?? 0) + 1);
        },
        warn(message, fields) {
          warnings.push(message);
          testLogger().warn(message, fields);
        },
      },
    });
    return { cluster, throttled, warnings };
  }

  async function topicWith(texts: readonly string[]): Promise<string> {
    const topic = `test.${randomUUID()}`;
    await fixture.createTopic(topic);
    // a batch each
    for (const text of texts) await fixture.produce({ topic, group: '' }, [text]);
    return topic;
  }

  it('the appender waits, and everything is in the log once and in order', async () => {
    const { cluster, throttled, warnings } = await throttledClient({ producer_byte_rate: 8_000 });
    const topic = await topicWith([]);
    const appender = createAppender(cluster);
    const texts: string[] = [];
    const append = () => {
      texts.push(`v${texts.length}`.padEnd(3_000, '.'));
      return appender.append([{ topic, partition: 0, key: null, value: Buffer.from(texts.at(-1)!) }]);
    };
    const before = spoiled.proxy.seen(produceKey);
    while (!throttled.has('Produce')) await append();
    await Promise.all([append(), append(), append()]);
    expect(spoiled.proxy.seen(produceKey) - before).to.be.at.most(texts.length);
    expect(appender.stats).to.include({ failed: 0, retries: 0 });
    await appender.close();
    expect(await readAll(fixture.cluster, topic)).to.deep.equal(texts);
    expect(warnings).to.deep.equal([]);
  });

  for (const quotas of [{ consumer_byte_rate: 20_000 }, { request_percentage: 1 }] as const) {
    const name = Object.keys(quotas)[0];

    it(`a queue consumer gets every record and keeps its locks (${name})`, async () => {
      const { cluster, throttled, warnings } = await throttledClient(quotas);
      const queue = await fixture.queue({ lockMs: 4_000 });
      const consumer = await fixture.open(queue, {}, cluster);
      await fixture.produce(queue, ['kept']);
      const [kept] = await take(consumer, 1);
      let renewing = true;
      const renewals = (async () => {
        while (renewing) {
          expect((await consumer.renew([kept!])).lost).to.deep.equal([]);
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      })();
      const texts = bulky(4);
      for (const text of texts) await fixture.produce(queue, [text]);
      const seen = new Set<string>();
      const before = spoiled.proxy.seen(shareFetchKey);
      while (seen.size < texts.length || !throttled.has('ShareFetch')) {
        if (seen.size === texts.length) {
          texts.push(`v${texts.length}`.padEnd(3_000, '.'));
          await fixture.produce(queue, [texts.at(-1)!]);
        }
        const records = await consumer.fetch({ maxRecords: 1, maxWaitMs: 300 });
        for (const value of values(records)) {
          expect(seen.has(value), value.slice(0, 10)).to.equal(false);
          seen.add(value);
        }
        for (const record of records) consumer.accept(record);
        await consumer.settled();
      }
      renewing = false;
      await renewals;
      consumer.accept(kept!);
      await consumer.settled();
      expect([...seen].sort()).to.deep.equal([...texts].sort());
      expect(consumer.health().sessionsLost).to.equal(0);
      expect(consumer.health().membership).to.equal('member');
      expect(consumer.health().acknowledgements).to.include({ accepted: texts.length + 1, invalidState: 0 });
      expect(new Set(warnings)).to.deep.equal(
        new Set(['a fetch was throttled: what it locked comes again when the locks end']),
      );
      expect(spoiled.proxy.seen(shareFetchKey) - before, 'fetches').to.be.below(200);
    });

    it(`readers and an event consumer read on (${name})`, async () => {
      const { cluster, throttled, warnings } = await throttledClient(quotas);
      const texts = bulky(6);
      const topic = await topicWith(texts);
      // how much is too much depends on how fast the broker is
      while (!throttled.has('Fetch')) expect(await readAll(cluster, topic)).to.deep.equal(texts);
      const before = spoiled.proxy.seen(fetchKey);
      expect(await readAll(cluster, topic)).to.deep.equal(texts);

      const followed: string[] = [];
      const stop = new AbortController();
      const follower = follow(cluster, {
        topics: [topic],
        from: 'start',
        signal: stop.signal,
        onRecords: (records) => void followed.push(...records.map(({ value }) => String(value))),
      });
      await follower.caughtUp;
      stop.abort();
      await follower.done;
      expect(followed).to.deep.equal(texts);

      const consumed: string[] = [];
      const problems: unknown[] = [];
      let all: () => void = () => {};
      const consumedAll = new Promise<void>((resolve) => {
        all = resolve;
      });
      const consumer = createEventConsumer(cluster, {
        groupId: topic,
        topics: () => [topic],
        positions: async () => new Map(),
        onBatch({ records }) {
          consumed.push(...records.map(({ value }) => String(value)));
          if (consumed.length >= texts.length) all();
        },
        onGap: (error) => problems.push(error),
        onFatal: (error) => problems.push(error),
      });
      await consumedAll;
      const { epoch, membership } = consumer.health();
      await consumer.close();
      expect(consumed).to.deep.equal(texts);
      expect(problems).to.deep.equal([]);
      expect({ epoch, membership }).to.deep.equal({ epoch: 1, membership: 'member' });
      expect(throttled.get('Fetch')).to.be.greaterThan(0);
      expect(warnings).to.deep.equal([]);
      expect(spoiled.proxy.seen(fetchKey) - before, 'fetches').to.be.below(200);
    });
  }
});

async function readAll(cluster: Cluster, topic: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const records of readRange(cluster, { topic, partition: 0, from: 'start', maxBytes: 1 }))
    texts.push(...records.map(({ value }) => String(value)));
  return texts;
}
