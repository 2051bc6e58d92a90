import { expect } from 'chai';
import type pg from 'pg';
import { silentLogger } from './logger.ts';
import { createPostgresPool, inTransaction, isTransient, type Pool } from './postgres.ts';
import { arrayParameter, type ElementType } from './postgresArrays.ts';
import { createTestDatabase, type TestDatabase } from './testing/testDatabase.ts';

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it did not reject'),
    (error: Error) => error,
  );

describe('createPostgresPool', () => {
  let database: TestDatabase;
  let pool: Pool;
  before(async () => {
    database = await createTestDatabase([]);
    pool = database.pool({ session: { synchronous_commit: 'off' } });
    await pool.query('create table t (n int)');
  });
  after(() => database.drop());

  it('reads bigint as numbers, refusing what a number cannot hold, and times as milliseconds', async () => {
    const { rows } = await pool.query(
      `select 9007199254740991 as big, '2026-01-02 03:04:05.678+02'::timestamptz as time`,
    );
    expect(rows).to.deep.equal([{ big: 9007199254740991, time: Date.UTC(2026, 0, 2, 1, 4, 5, 678) }]);
    expect(await rejection(pool.query('select 9007199254740992'))).to.be.instanceOf(RangeError);
  });

  it('sets what a session is to be', async () => {
    expect((await pool.query(`select current_setting('synchronous_commit') as it`)).rows).to.deep.equal([
      { it: 'off' },
    ]);
  });

  const arrays: [ElementType, (string | number | boolean | null)[]][] = [
    ['uuid', ['0190a0a0-1111-7222-8333-0123456789af', null]],
    ['int4', [2 ** 31 - 1, -(2 ** 31), null]],
    ['int8', [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2 ** 32, -1, 0, null]],
    ['float8', [0.1, -1e300, null]],
    [
      'timestamptz',
      [0, Date.UTC(1999, 11, 31, 23, 59, 59, 999), 1_764_000_000_123, Date.UTC(9999, 11, 31, 23, 59, 59, 999), null],
    ],
    ['text', ['', 'é€😀', 'a"b\\c,{}', null]],
    ['boolean', [true, false, null]],
    ['int4', []],
  ];
  for (const [type, values] of arrays) {
    it(`takes binary arrays of ${type}: ${JSON.stringify(values)}`, async () => {
      const { rows } = await pool.query<{ it: unknown }>(`select it from unnest($1::${type}[]) as it`, [
        arrayParameter(type, values),
      ]);
      expect(rows.map((row) => row.it)).to.deep.equal(values);
    });
  }

  it('writes U+FFFD for the one character that PostgreSQL has not', async () => {
    const { rows } = await pool.query('select it from unnest($1::text[]) as it', [arrayParameter('text', ['a\0b'])]);
    expect(rows).to.deep.equal([{ it: 'a\ufffdb' }]);
  });

  it('survives the end of an idle connection', async () => {
    await pool.query('select 1');
    const removed = new Promise((resolve) => pool.once('remove', resolve));
    await database.disconnectAll();
    await removed;
    expect((await pool.query('select 1 as it')).rows).to.deep.equal([{ it: 1 }]);
  });

  it('rejects while the server is away, with an error that says so', async () => {
    const away = createPostgresPool({
      url: 'postgres://x:x@127.0.0.1:1/x',
      applicationName: 'test',
      logger: silentLogger,
    });
    expect(isTransient(await rejection(away.query('select 1')))).to.equal(true);
    await away.end();
  });

  it('commits a transaction that resolves, and rolls back one that rejects', async () => {
    await inTransaction(pool, (tx) => tx.query('insert into t values (1)'));
    const error = await rejection(
      inTransaction(pool, async (tx) => {
        await tx.query('insert into t values (2)');
        throw new Error('no');
      }),
    );
    expect(error.message).to.equal('no');
    expect((await pool.query('select n from t')).rows).to.deep.equal([{ n: 1 }]);
  });

  it('throws a connection away that broke in a transaction', async () => {
    const error = await rejection(
      inTransaction(pool, async (tx: pg.PoolClient) => {
        await database.disconnectAll();
        await tx.query('select 1');
      }),
    );
    expect(isTransient(error)).to.equal(true);
    expect((await pool.query('select 1 as it')).rows).to.deep.equal([{ it: 1 }]);
  });

  it('tells a lasting error from one that passes', async () => {
    expect(isTransient(await rejection(pool.query('select 1/0')))).to.equal(false);
    expect(isTransient(await rejection(pool.query('select no_such_column')))).to.equal(false);
    expect(isTransient(new TypeError('x is not a function'))).to.equal(false);
  });
});
