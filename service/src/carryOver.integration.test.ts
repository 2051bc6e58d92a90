import { expect } from 'chai';
import { silentLogger } from './logger.ts';
import { readPositions } from './positions.ts';
import type { Pool } from './postgres.ts';
import { decodeNumbers, numberRecords } from './testing/numberLog.ts';
import { createTestDatabase, type TestDatabase } from './testing/testDatabase.ts';
import { TransactionalConsumer } from './transactionalConsumer.ts';

const partitions = [{ topic: 'numbers', partition: 0 }];

interface Folded {
  value: number;
  left?: { readonly value: number; readonly from: number };
}

describe('a TransactionalConsumer whose effects leave something to the batch that follows', () => {
  let database: TestDatabase;
  let pool: Pool;
  const started: { stop(): Promise<void> }[] = [];

  before(async () => {
    database = await createTestDatabase(['service']);
    pool = database.pool();
  });
  after(() => database.drop());
  afterEach(async () => {
    for (const each of started.splice(0)) await each.stop();
  });
  beforeEach(() => pool.query('truncate consumer_positions'));
  const position = async () => (await readPositions(pool, 'sums')).get('numbers/0');

  /** Leaves what is negative, once; what each batch wrote, and where the position stood while it was being written. */
  function leaving(gate?: Promise<void>) {
    const batches: { sum: number; position: number | undefined }[] = [];
    const it = new TransactionalConsumer<number, Folded, void>({
      effects: {
        consumer: 'sums',
        empty: () => ({ value: 0 }),
        fold(folded, { event, record }) {
          if (event >= 0) folded.value += event;
          else folded.left = { value: (folded.left?.value ?? 0) + event, from: folded.left?.from ?? record.offset };
        },
        carryOver(folded) {
          const { left } = folded;
          if (left === undefined) return undefined;
          delete folded.left;
          return { folded: { value: left.value }, bytes: 0, from: [{ ...partitions[0]!, offset: left.from }] };
        },
        prepare: (folded) => async () => {
          batches.push({ sum: folded.value + (folded.left?.value ?? 0), position: await position() });
          await gate;
        },
      },
      decoding: decodeNumbers,
      pool,
      logger: silentLogger,
      check: { ok() {}, degraded() {}, failing() {} },
      park: async () => {},
      reread() {},
      pacing: { maxWaitMs: 5, enoughRecords: 50, idleRecords: 10, maxRecords: 100, maxBytes: 1_000, lingerMs: 0 },
    });
    started.push(it);
    return { it, batches };
  }
  const some = [...Array<number>(10).fill(1), -5, 1, -5, 1];

  it('writes it with the next one, and keeps the position at its beginning until then', async () => {
    const { it, batches } = leaving();
    await it.positions(partitions);
    await it.take(numberRecords(0, some));
    await it.flushed();
    expect(batches).to.deep.equal([
      { sum: 12, position: 0 },
      { sum: -10, position: 10 },
    ]);
    expect(await position()).to.equal(14);
  });

  it('reads it again where it was dropped', async () => {
    const gate = Promise.withResolvers<void>();
    const { it, batches } = leaving(gate.promise);
    await it.positions(partitions);
    await it.take(numberRecords(0, some));
    while (batches.length === 0) await new Promise(setImmediate);
    it.revoked();
    gate.resolve();
    await it.flushed();
    expect(batches.map(({ sum }) => sum)).to.deep.equal([12]);
    expect(await it.positions(partitions)).to.deep.equal(new Map([['numbers/0', 10]]));
  });

  it('leaves nothing where little comes, or somebody waits', async () => {
    const { it, batches } = leaving();
    await it.positions(partitions);
    await it.take(numberRecords(0, [1, -5]));
    await it.flushed();
    await it.take(numberRecords(2, some));
    await it.flush();
    expect(batches.map(({ sum }) => sum)).to.deep.equal([-4, 2]);
    expect(await position()).to.equal(16);
  });
});
