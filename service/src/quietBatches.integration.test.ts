import type { LogRecord } from '@taskflow/log/logRecord';
import { expect } from 'chai';
import { silentLogger } from './logger.ts';
import { readPositions } from './positions.ts';
import type { Pool } from './postgres.ts';
import { createTestDatabase, type TestDatabase } from './testing/testDatabase.ts';
import { TransactionalConsumer } from './transactionalConsumer.ts';

const partitions = [{ topic: 'words', partition: 0 }];
const anHour = 3_600_000;

/** A log of words, of which only those that begin with an exclamation mark concern the consumer; those that end with a question mark may wait. */
function records(from: number, ...words: string[]): LogRecord[] {
  return words.map((word, index) => ({
    topic: 'words',
    partition: 0,
    offset: from + index,
    key: null,
    value: Buffer.from(word),
    appendedAt: 0,
    leaderEpoch: 0,
  }));
}

describe('a TransactionalConsumer that may leave quiet batches lying', () => {
  let database: TestDatabase;
  let pool: Pool;
  let consumer: TransactionalConsumer<string, string[], void>;

  before(async () => {
    database = await createTestDatabase(['service']);
    pool = database.pool();
  });
  after(() => database.drop());
  beforeEach(async () => {
    await pool.query('truncate consumer_positions');
    consumer = new TransactionalConsumer<string, string[], void>({
      effects: {
        consumer: 'words',
        empty: () => [],
        fold: (words, { event }) => words.push(event),
        mayWait: (event) => event.endsWith('?'),
        prepare: () => async () => {},
      },
      decoding: (batch) => ({
        events: batch.flatMap((record) => {
          const event = String(record.value);
          return event.startsWith('!') ? [{ record, event }] : [];
        }),
        undecodable: [],
      }),
      pool,
      logger: silentLogger,
      check: { ok() {}, degraded() {}, failing() {} },
      park: async () => {},
      reread() {},
      // Whatever is committed here was not waited for to the end.
      pacing: {
        maxWaitMs: 5,
        enoughRecords: 5,
        idleRecords: 10,
        maxRecords: 100,
        maxBytes: 1_000,
        quietMs: anHour,
        lingerMs: anHour,
      },
    });
    await consumer.positions(partitions);
  });
  afterEach(() => consumer.stop());

  const position = async () => (await readPositions(pool, 'words')).get('words/0');
  /** Lets all that needs no timer happen. */
  const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  it('commits positions that nothing hangs on when it is asked to', async () => {
    await consumer.take(records(0, 'a', 'b'));
    await settle();
    expect(await position()).to.equal(0);
    await consumer.flush();
    expect(await position()).to.equal(2);
    await consumer.flush();
  });

  it('does not wait once something concerns it', async () => {
    await consumer.take(records(0, 'a'));
    await settle();
    await consumer.take(records(1, '!b'));
    await consumer.flushed();
    expect(await position()).to.equal(2);
  });

  it('lingers with what may wait until something comes that may not', async () => {
    await consumer.take(records(0, '!a?', '!b?'));
    await settle();
    expect(await position()).to.equal(0);
    await consumer.take(records(2, '!c'));
    await consumer.flushed();
    expect(await position()).to.equal(3);
  });

  it('does not wait once it has many records, or many bytes', async () => {
    await consumer.take(records(0, 'a', 'b', 'c'));
    await settle();
    await consumer.take(records(3, 'd', 'e'));
    await consumer.flushed();
    expect(await position()).to.equal(5);
    await consumer.take(records(5, 'x'.repeat(1_000)));
    await consumer.take(records(6, 'y'));
    await consumer.flush();
    expect(await position()).to.equal(7);
  });

  it('resolves a flush while more comes', async () => {
    await consumer.take(records(0, 'a'));
    const flushed = consumer.flush();
    await consumer.take(records(1, 'b'));
    await flushed;
    expect(await position()).to.be.greaterThan(0);
  });

  it('resolves a flush whose batch is dropped', async () => {
    await consumer.take(records(0, 'a'));
    const flushed = consumer.flush();
    consumer.revoked();
    await flushed;
  });

  it('commits what it has when it stops', async () => {
    await consumer.take(records(0, 'a', 'b'));
    await settle();
    await consumer.stop();
    expect(await position()).to.equal(2);
  });
});
