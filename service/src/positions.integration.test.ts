import { expect } from 'chai';
import { type Advance, advancePositions, claimPositions, PositionRefusedError, readPositions } from './positions.ts';
import { inTransaction, type Pool } from './postgres.ts';
import { createTestDatabase, type TestDatabase } from './testing/testDatabase.ts';

describe('positions', () => {
  let database: TestDatabase;
  let pool: Pool;
  before(async () => {
    database = await createTestDatabase(['service']);
    pool = database.pool();
  });
  after(() => database.drop());
  beforeEach(() => pool.query('truncate consumer_positions'));

  const advance = (consumer: string, ...steps: Advance[]) =>
    inTransaction(pool, (tx) => advancePositions(tx, consumer, steps));
  const refusal = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it was not refused'),
      (error: Error) => error,
    );

  it('begin where they are told, once', async () => {
    expect(
      await claimPositions(pool, 'c', [
        { topic: 'a', partition: 0 },
        { topic: 'a', partition: 1, start: 7 },
      ]),
    ).to.deep.equal(
      new Map([
        ['a/0', 0],
        ['a/1', 7],
      ]),
    );
    expect(await claimPositions(pool, 'c', [{ topic: 'a', partition: 1, start: 9 }])).to.deep.equal(
      new Map([['a/1', 7]]),
    );
  });

  it('move together, from where they are expected', async () => {
    await claimPositions(pool, 'c', [
      { topic: 'a', partition: 0 },
      { topic: 'b', partition: 0 },
    ]);
    await advance('c', { topic: 'b', partition: 0, from: 0, to: 5 }, { topic: 'a', partition: 0, from: 0, to: 3 });
    await advance('c', { topic: 'a', partition: 0, from: 3, to: 4 });
    expect(await readPositions(pool, 'c')).to.deep.equal(
      new Map([
        ['a/0', 4],
        ['b/0', 5],
      ]),
    );
  });

  it('of one consumer are not those of another', async () => {
    await claimPositions(pool, 'c', [{ topic: 'a', partition: 0 }]);
    await claimPositions(pool, 'd', [{ topic: 'a', partition: 0, start: 2 }]);
    await advance('c', { topic: 'a', partition: 0, from: 0, to: 9 });
    expect(await readPositions(pool, 'd')).to.deep.equal(new Map([['a/0', 2]]));
  });

  it('refuse a zombie, and nothing of its transaction is left', async () => {
    await claimPositions(pool, 'c', [
      { topic: 'a', partition: 0 },
      { topic: 'b', partition: 0 },
    ]);
    await advance('c', { topic: 'a', partition: 0, from: 0, to: 3 });
    const late = advance(
      'c',
      { topic: 'a', partition: 0, from: 0, to: 4 },
      { topic: 'b', partition: 0, from: 0, to: 4 },
    );
    expect(await refusal(late)).to.be.instanceOf(PositionRefusedError);
    expect(await readPositions(pool, 'c')).to.deep.equal(
      new Map([
        ['a/0', 3],
        ['b/0', 0],
      ]),
    );
  });

  it('refuse the second of two that move at once', async () => {
    await claimPositions(pool, 'c', [{ topic: 'a', partition: 0 }]);
    const results = await Promise.allSettled(
      [3, 4].map((to) => advance('c', { topic: 'a', partition: 0, from: 0, to })),
    );
    expect(results.map((result) => result.status).toSorted()).to.deep.equal(['fulfilled', 'rejected']);
  });
});
