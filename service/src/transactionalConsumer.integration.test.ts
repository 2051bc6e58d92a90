import { expect } from 'chai';
import type { UndecodableRecord } from './decoding.ts';
import { silentLogger } from './logger.ts';
import { readPositions } from './positions.ts';
import type { Pool } from './postgres.ts';
import type { CheckState } from './readiness.ts';
import { decodeNumbers, numberRecords } from './testing/numberLog.ts';
import { createTestDatabase, type TestDatabase } from './testing/testDatabase.ts';
import { type Effects, TransactionalConsumer } from './transactionalConsumer.ts';

interface Sum {
  value: number;
}

describe('TransactionalConsumer', () => {
  let database: TestDatabase;
  let pool: Pool;
  const partitions = [{ topic: 'numbers', partition: 0 }];
  const started: { stop(): Promise<void> }[] = [];

  before(async () => {
    database = await createTestDatabase(['service']);
    pool = database.pool();
    await pool.query('create table sum (value int not null)');
  });
  after(() => database.drop());
  afterEach(async () => {
    for (const each of started.splice(0)) await each.stop();
  });
  beforeEach(async () => {
    await pool.query('truncate consumer_positions, sum');
    await pool.query('insert into sum values (0)');
  });

  /** A consumer, and what it has told. */
  function consumer(overrides: Partial<Effects<number, Sum, number>> = {}) {
    const told = { committed: [] as number[], parked: [] as UndecodableRecord[], rereads: 0 };
    const states: CheckState[] = [];
    const blocked = Promise.withResolvers<string>();
    let parkFails = 0;
    const it = new TransactionalConsumer<number, Sum, number>({
      effects: {
        consumer: 'sums',
        empty: () => ({ value: 0 }),
        fold(sum, { event }) {
          sum.value += event;
        },
        prepare: (sum) => async (tx) => {
          await tx.query('update sum set value = value + $1', [sum.value]);
          return sum.value;
        },
        committed: (value) => told.committed.push(value),
        ...overrides,
      },
      decoding: decodeNumbers,
      pool,
      logger: silentLogger,
      check: {
        ok: () => states.push({ state: 'ok' }),
        degraded: (reason) => states.push({ state: 'degraded', reason }),
        failing(reason) {
          states.push({ state: 'failing', reason });
          blocked.resolve(reason);
        },
      },
      async park(undecodable) {
        if (parkFails-- > 0) throw new Error('the broker is away');
        told.parked.push(...undecodable);
      },
      reread: () => {
        told.rereads += 1;
      },
      pacing: { maxWaitMs: 5, enoughRecords: 50, idleRecords: 10, maxRecords: 100, maxBytes: 1_000, lingerMs: 0 },
    });
    started.push(it);
    return {
      it,
      told,
      states,
      /** Resolves when its readiness check first fails, with the reason. */
      blocked: blocked.promise,
      failPark: (times: number) => {
        parkFails = times;
      },
    };
  }
  const total = async () => (await pool.query<{ value: number }>('select value from sum')).rows[0]?.value;
  const position = async () => (await readPositions(pool, 'sums')).get('numbers/0');

  it('applies each record once, and moves the position with it', async () => {
    const { it, told } = consumer();
    expect(await it.positions(partitions)).to.deep.equal(new Map([['numbers/0', 0]]));
    await it.take(numberRecords(0, [1, 2, 3]));
    await it.take(numberRecords(2, [3, 4])); // offset 2 comes again
    await it.take(numberRecords(1, [2]));
    await it.flushed();
    expect([await total(), await position()]).to.deep.equal([10, 4]);
    expect(told.committed.reduce((sum, value) => sum + value, 0)).to.equal(10);
  });

  it('goes on where it was', async () => {
    const first = consumer();
    await first.it.positions(partitions);
    await first.it.take(numberRecords(0, [1, 2]));
    await first.it.stop();
    const second = consumer();
    expect(await second.it.positions(partitions)).to.deep.equal(new Map([['numbers/0', 2]]));
    await second.it.take(numberRecords(2, [3]));
    await second.it.flushed();
    expect(await total()).to.equal(6);
  });

  it('folds what comes during a flush into the next', async () => {
    const gate = Promise.withResolvers<void>();
    const writes: number[] = [];
    const { it } = consumer({
      prepare: (sum) => async () => {
        writes.push(sum.value);
        if (writes.length === 1) await gate.promise;
        return sum.value;
      },
    });
    await it.positions(partitions);
    await it.take(numberRecords(0, [1]));
    while (writes.length === 0) await new Promise(setImmediate);
    for (let offset = 1; offset <= 20; offset++) await it.take(numberRecords(offset, [offset]));
    gate.resolve();
    await it.flushed();
    expect(writes).to.deep.equal([1, 210]);
  });

  /** The write of a first batch waits for the gate; a second one of 60 is prepared. */
  async function secondPrepared() {
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    const { it } = consumer({
      prepare(sum) {
        seen.push(`prepared ${sum.value}`);
        return async () => {
          if (sum.value === 1) await gate.promise;
          seen.push(`written ${sum.value}`);
          return sum.value;
        };
      },
    });
    await it.positions(partitions);
    await it.take(numberRecords(0, [1]));
    while (seen.length === 0) await new Promise(setImmediate);
    await it.take(numberRecords(1, Array<number>(60).fill(1)));
    while (seen.length === 1) await new Promise(setImmediate);
    return { it, seen, gate };
  }

  it('tries again what cannot be prepared, and says so', async () => {
    let attempts = 0;
    const { it, blocked } = consumer({
      prepare: (sum) => {
        attempts += 1;
        if (attempts <= 2) throw new Error('not ready');
        return async (tx) => {
          await tx.query('update sum set value = value + $1', [sum.value]);
          return sum.value;
        };
      },
    });
    await it.positions(partitions);
    await it.take(numberRecords(0, [5]));
    expect(await blocked).to.include('not ready');
    await it.flushed();
    expect([await total(), await position()]).to.deep.equal([5, 1]);
  });

  it('prepares one batch while the one before is being committed, and commits them in order', async () => {
    const { it, seen, gate } = await secondPrepared();
    expect(seen).to.deep.equal(['prepared 1', 'prepared 60']);
    gate.resolve();
    await it.flushed();
    expect(seen).to.deep.equal(['prepared 1', 'prepared 60', 'written 1', 'written 60']);
    expect(await position()).to.equal(61);
  });

  it('drops a batch that is prepared when its partitions are taken away', async () => {
    const { it, seen, gate } = await secondPrepared();
    it.revoked();
    gate.resolve();
    await it.flushed();
    expect(seen).to.not.include('written 60');
    expect(await position()).to.equal(1);
  });

  it('takes in what is oldest first, of all that waits', async () => {
    const gate = Promise.withResolvers<void>();
    const folded: number[] = [];
    let writing = false;
    const { it } = consumer({
      fold: (_, { event }) => void folded.push(event),
      prepare: () => async () => {
        writing = true;
        await gate.promise;
        return 0;
      },
    });
    const topics = ['numbers', 'newer', 'older'];
    await it.positions(topics.map((topic) => ({ topic, partition: 0 })));
    const of = (topic: string, appendedAt: number, values: readonly number[]) =>
      numberRecords(0, values, topic).map((record) => ({ ...record, appendedAt }));
    await it.take(numberRecords(0, [0]));
    while (!writing) await new Promise(setImmediate);
    await it.take(numberRecords(1, Array<number>(100).fill(0)));
    await it.take(numberRecords(101, Array<number>(100).fill(0)));
    const waiting = [it.take(of('newer', 20, [2])), it.take(of('older', 10, [1]))];
    gate.resolve();
    await Promise.all(waiting);
    await it.flushed();
    expect(folded.slice(-2)).to.deep.equal([1, 2]);
  });

  it('holds back whoever delivers more than it may keep', async () => {
    const gate = Promise.withResolvers<void>();
    let writing = false;
    const { it } = consumer({
      prepare: () => async () => {
        writing = true;
        await gate.promise;
        return 0;
      },
    });
    await it.positions(partitions);
    await it.take(numberRecords(0, [0]));
    while (!writing) await new Promise(setImmediate);
    await it.take(numberRecords(1, Array<number>(100).fill(1)));
    await it.take(numberRecords(101, Array<number>(100).fill(1))); // the hundred before are prepared meanwhile
    const taken = it.take(numberRecords(201, [1]));
    let done = false;
    void taken.then(() => {
      done = true;
    });
    await new Promise(setImmediate);
    expect(done).to.equal(false);
    await it.take(numberRecords(201, Array<number>(50).fill(1)), { urgent: true });
    gate.resolve();
    await taken;
    await it.flushed();
    expect(await position()).to.equal(251);
  });

  it('is refused whole when another instance has moved a position, and reads again', async () => {
    const [zombie, successor] = [consumer(), consumer()];
    await zombie.it.positions(partitions);
    await successor.it.positions(partitions);
    await successor.it.take(numberRecords(0, [1, 2]));
    await successor.it.flushed();
    await zombie.it.take(numberRecords(0, [1, 2, 3]));
    await zombie.it.flushed();
    expect([await total(), await position()]).to.deep.equal([3, 2]);
    expect(zombie.told).to.deep.include({ rereads: 1, committed: [] });
    // What it is still given from before counts for nothing.
    await zombie.it.take(numberRecords(3, [4]));
    await zombie.it.flushed();
    expect(await zombie.it.positions(partitions)).to.deep.equal(new Map([['numbers/0', 2]]));
    await zombie.it.take(numberRecords(2, [3]));
    await zombie.it.flushed();
    expect([await total(), await position()]).to.deep.equal([6, 3]);
  });

  it('drops what it holds of partitions that were taken away', async () => {
    const { it } = consumer();
    await it.positions(partitions);
    const taking = it.take(numberRecords(0, [1]));
    it.revoked();
    await taking;
    await it.take(numberRecords(1, [2]));
    await it.flushed();
    expect([await total(), await position()]).to.deep.equal([0, 0]);
  });

  it('tries the same batch again after its connection broke, with neither effect nor position lost or doubled', async () => {
    let attempts = 0;
    const { it, blocked, states } = consumer({
      prepare: (sum) => async (tx) => {
        attempts += 1;
        await tx.query('update sum set value = value + $1', [sum.value]);
        if (attempts === 1) await database.disconnectAll();
        return sum.value;
      },
    });
    await it.positions(partitions);
    await it.take(numberRecords(0, [5]));
    expect(await blocked).to.include('positions stand still');
    await it.flushed();
    expect([await total(), await position(), attempts]).to.deep.equal([5, 1, 2]);
    expect(states.at(-1)).to.deep.equal({ state: 'ok' });
  });

  it('reads again when an idle connection ends: the server may have lost what it had committed', async () => {
    const { it, told } = consumer();
    await it.positions(partitions);
    await it.take(numberRecords(0, [5]));
    await it.flushed();
    // As after a crash of a server that does not wait for the disk.
    await pool.query('update consumer_positions set next_offset = 0');
    await pool.query('update sum set value = 0');
    const noticed = new Promise((resolve) => pool.once('error', resolve));
    await database.disconnectAll();
    await noticed;
    expect(told.rereads).to.be.greaterThan(0);
    expect(await it.positions(partitions)).to.deep.equal(new Map([['numbers/0', 0]]));
    await it.take(numberRecords(0, [5]));
    await it.flushed();
    expect([await total(), await position()]).to.deep.equal([5, 1]);
    await it.stop();
  });

  it('finds out whether a commit of unknown end happened', async () => {
    // The transaction commits, but its answer is lost: the batch again is refused, for the position has moved.
    let attempts = 0;
    const { it, told } = consumer({
      prepare: (sum) => async (tx) => {
        await tx.query('update sum set value = value + $1', [sum.value]);
        attempts += 1;
        if (attempts > 1) return sum.value;
        await tx.query('commit');
        throw new Error('the answer was lost');
      },
    });
    await it.positions(partitions);
    await it.take(numberRecords(0, [5]));
    await it.flushed();
    expect(told.rereads).to.equal(1);
    expect(await it.positions(partitions)).to.deep.equal(new Map([['numbers/0', 1]]));
    expect(await total()).to.equal(5);
  });

  it('parks what cannot be decoded before the position moves', async () => {
    const { it, told, blocked, failPark } = consumer();
    failPark(1);
    await it.positions(partitions);
    await it.take(numberRecords(0, [1, 'x', 2]));
    expect(await blocked).to.include('the broker is away');
    expect(await position()).to.equal(0);
    await it.flushed();
    expect([await total(), await position()]).to.deep.equal([3, 3]);
    expect(told.parked.map(({ record, reason }) => [record.offset, reason])).to.deep.equal([[1, 'not a number']]);
  });

  it('never passes over records in silence', async () => {
    const { it } = consumer();
    await it.positions(partitions);
    const error = await it.take(numberRecords(3, [1])).then(
      () => expect.fail('it took them'),
      (reason: Error) => reason,
    );
    expect(error.message).to.equal('numbers/0: the records from 0 to 2 were passed over');
    await it.flushed();
    expect(await position()).to.equal(0);
  });

  it('ends a stop without commit while PostgreSQL refuses', async () => {
    const { it, blocked } = consumer({
      prepare: () => async () => {
        throw Object.assign(new Error('no space left'), { code: '53100' });
      },
    });
    await it.positions(partitions);
    await it.take(numberRecords(0, [1]));
    expect(await blocked).to.include('no space left');
    await it.stop();
    expect(await position()).to.equal(0);
  });
});
