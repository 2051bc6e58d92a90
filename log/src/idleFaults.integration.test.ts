import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { createEventConsumer, type EventConsumer } from './eventConsumer.ts';
import { silentLogger } from './logger.ts';
import { endOffsets, follow } from './reader.ts';
import { type QueueFixture, queueFixture, take, values } from './testing/queueFixture.ts';
import { type SpoiledBroker, startSpoiledBroker } from './testing/spoiledBroker.ts';

/** Long enough for the broker to have closed each connection on which nothing happens. */
const idleMs = 5_000;

describe('connections that the broker closes because they are idle', function () {
  this.timeout(120_000);
  let spoiled: SpoiledBroker;
  let fixture: QueueFixture;
  let logged: string[] = [];
  let events: EventConsumer | undefined;
  const following = new AbortController();
  before(async () => {
    // Two seconds of idleness are ten minutes' worth: with one, a machine that stood still for half a second between renewal and accept
    // had the session closed before its time, and the accept with it.
    spoiled = await startSpoiledBroker({ 'connections.max.idle.ms': 2_000 });
    const log = (message: string, fields?: object) => {
      logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
    };
    fixture = await queueFixture([spoiled.proxy.address], { ...silentLogger, info: log, warn: log, error: log });
  });
  after(async () => {
    following.abort();
    await events?.close();
    await fixture?.close();
    await spoiled?.close();
  });

  it('are opened anew where they are wanted, and nobody hears of it', async () => {
    const queue = await fixture.queue({ lockMs: 60_000 });
    const consumer = await fixture.open(queue);
    const topic = `test.${randomUUID()}`;
    await fixture.createTopic(topic);
    const followed: string[] = [];
    const consumed: string[] = [];
    follow(fixture.cluster, {
      topics: [topic],
      from: 'start',
      signal: following.signal,
      onRecords: (records) => void followed.push(...records.map(({ value }) => String(value))),
    });
    const consumerOfEvents = createEventConsumer(fixture.cluster, {
      groupId: topic,
      topics: () => [topic],
      positions: async () => new Map(),
      onBatch: ({ records }) => void consumed.push(...records.map(({ value }) => String(value))),
      onGap: (error) => logged.push(String(error)),
      onFatal: (error) => logged.push(String(error)),
    });
    events = consumerOfEvents;
    await fixture.produce(queue, ['before']);
    await fixture.produce({ topic, group: '' }, ['before']);
    const [held] = await take(consumer, 1);
    while (followed.length < 1 || consumed.length < 1) await delay(20);
    const { epoch } = consumerOfEvents.health();
    logged = [];

    for (const until = performance.now() + idleMs; performance.now() < until; await delay(300)) {
      expect(await consumer.renew([held!]), 'renewals keep a session').to.deep.equal({ renewed: [held], lost: [] });
    }
    consumer.accept(held!);
    await consumer.settled();
    while (!held!.session.lost) await delay(20); // nothing is fetched, so the broker closes it
    while (consumer.health().openSessions === 0) await consumer.fetch({ maxRecords: 1, maxWaitMs: 300 });
    for (const until = performance.now() + idleMs; performance.now() < until; )
      await consumer.fetch({ maxRecords: 1, maxWaitMs: 300 });
    expect(consumer.health().sessionsLost).to.equal(1);
    expect(logged).to.deep.equal([]);

    await fixture.produce(queue, ['after']);
    await fixture.produce({ topic, group: '' }, ['after']);
    const [next] = await take(consumer, 1);
    consumer.accept(next!);
    await consumer.settled();
    while (followed.length < 2 || consumed.length < 2) await delay(20);
    expect(values([next!])).to.deep.equal(['after']);
    expect(followed).to.deep.equal(['before', 'after']);
    expect(consumed).to.deep.equal(['before', 'after']);
    expect((await endOffsets(fixture.cluster, [topic])).get(topic)).to.deep.equal([2]);
    expect(consumer.health().acknowledgements, JSON.stringify(consumer.health().acknowledgements)).to.deep.include({
      accepted: 2,
    });
    expect(consumer.health().membership).to.equal('member');
    expect(consumerOfEvents.health()).to.include({ membership: 'member', epoch });
    expect(logged).to.deep.equal([]);
  });
});
