import {
  BrokerUnavailableError,
  PartialAppendError,
  RecordTooLargeError,
  UnknownTopicError,
} from '@taskflow/log/errors';
import { silentLogger } from '@taskflow/log/logger';
import { expect } from 'chai';
import { Outbox, type Owner } from './outbox.ts';
import type { OutgoingRecord } from './ports.ts';

const record = (key: string): OutgoingRecord => ({ topic: 't', partition: 0, key, value: Buffer.from(key) });

/** An appender whose calls end as the test says, one after the other. */
function scripted(...answers: ((records: readonly OutgoingRecord[]) => Error | undefined)[]) {
  const calls: string[][] = [];
  return {
    calls,
    append: async (records: readonly OutgoingRecord[]) => {
      calls.push(records.map(({ key }) => key));
      const error = answers.shift()?.(records);
      if (error) throw error;
      return records.map((_, offset) => ({ offset, appendedAt: 5 }));
    },
  };
}

/** An owner that tells what it was told. */
function owner(withdraws = false): Owner & { readonly told: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    told: promise,
    acknowledged: () => resolve('acknowledged'),
    refused: (error) => resolve(`refused: ${error.name}`),
    withdraws: () => {
      if (withdraws) resolve('withdrawn');
      return withdraws;
    },
  };
}

const away = () => new BrokerUnavailableError('away');

describe('the outbox', () => {
  it('appends in one call what is pushed in one turn, and tells the broker’s time', async () => {
    const appender = scripted();
    const times: number[] = [];
    const outbox = new Outbox({ appender, logger: silentLogger, onBrokerTime: (at) => times.push(at) });
    const [a, b] = [owner(), owner()];
    outbox.push(record('a'), a);
    outbox.push(record('b'));
    await Promise.resolve();
    outbox.push(record('c'), b);
    expect(await a.told).to.equal('acknowledged');
    expect(await b.told).to.equal('acknowledged');
    expect(appender.calls).to.deep.equal([['a', 'b', 'c']]);
    expect(times).to.deep.equal([5]);
    expect(outbox.pending).to.equal(0);
    expect(outbox.stuckMs).to.equal(0);
  });

  it('gathers for a moment after an append of several, not after a smaller one', async () => {
    const appender = scripted();
    const outbox = new Outbox({ appender, logger: silentLogger });
    const push = (...keys: string[]) => {
      const last = owner();
      for (const key of keys) outbox.push(record(key), key === keys.at(-1) ? last : undefined);
      return last.told;
    };
    await push('a', 'b');
    await push('c', 'd', 'e');
    void push('f');
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
    await push('g');
    expect(appender.calls).to.deep.equal([
      ['a', 'b'],
      ['c', 'd', 'e'],
      ['f', 'g'],
    ]);
    await push('h');
    expect(appender.calls.at(-1)).to.deep.equal(['h']);
  });

  it('waits for no more when it is to be flushed', async () => {
    const appender = scripted();
    const outbox = new Outbox({ appender, logger: silentLogger });
    for (const key of ['a', 'b', 'c']) outbox.push(record(key));
    expect(await outbox.flush(1_000)).to.equal(true);
    outbox.push(record('d'));
    expect(await outbox.flush(1_000)).to.equal(true);
    expect(appender.calls).to.deep.equal([['a', 'b', 'c'], ['d']]);
  });

  it('has one append under way at a time, in order', async () => {
    const first = Promise.withResolvers<void>();
    const calls: string[][] = [];
    const appender = {
      append: async (records: readonly OutgoingRecord[]) => {
        calls.push(records.map(({ key }) => key));
        if (calls.length === 1) await first.promise;
        return records.map((_, offset) => ({ offset, appendedAt: 1 }));
      },
    };
    const outbox = new Outbox({ appender, logger: silentLogger });
    outbox.push(record('a'));
    await new Promise(setImmediate);
    const last = owner();
    outbox.push(record('b'));
    outbox.push(record('c'), last);
    await new Promise(setImmediate);
    expect(calls).to.deep.equal([['a']]);
    first.resolve();
    await last.told;
    expect(calls).to.deep.equal([['a'], ['b', 'c']]);
  });

  it('sends the same records again until they are on the log', async () => {
    const appender = scripted(away, away);
    const outbox = new Outbox({ appender, logger: silentLogger });
    const a = owner();
    outbox.push(record('a'), a);
    expect(await a.told).to.equal('acknowledged');
    expect(appender.calls).to.deep.equal([['a'], ['a'], ['a']]);
  });

  it('sends again only what a partial append left, and tells the others', async () => {
    const partial = () =>
      new PartialAppendError(
        [
          { topic: 't', partition: 0, offset: 1, appendedAt: 1 },
          away(),
          new RecordTooLargeError('t', 9, 8),
          new UnknownTopicError('t'),
        ],
        away(),
      );
    const appender = scripted(partial);
    const outbox = new Outbox({ appender, logger: silentLogger });
    const owners = [owner(), owner(), owner(), owner()];
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) outbox.push(record(key), owners[i]);
    expect(await Promise.all(owners.map(({ told }) => told))).to.deep.equal([
      'acknowledged',
      'acknowledged',
      'refused: RecordTooLargeError',
      'refused: UnknownTopicError',
    ]);
    expect(appender.calls).to.deep.equal([['a', 'b', 'c', 'd'], ['b']]);
  });

  it('tells its owner that a record can never be appended, and goes on', async () => {
    const appender = scripted(() => new RecordTooLargeError('t', 9, 8));
    const outbox = new Outbox({ appender, logger: silentLogger });
    const [a, b] = [owner(), owner()];
    outbox.push(record('a'), a);
    expect(await a.told).to.equal('refused: RecordTooLargeError');
    outbox.push(record('b'), b);
    expect(await b.told).to.equal('acknowledged');
  });

  it('drops before it sends again what may no longer be said', async () => {
    const appender = scripted(away);
    const outbox = new Outbox({ appender, logger: silentLogger });
    const [zombie, fine] = [owner(true), owner()];
    outbox.push(record('zombie'), zombie);
    outbox.push(record('fine'), fine);
    expect(await zombie.told).to.equal('withdrawn');
    expect(await fine.told).to.equal('acknowledged');
    expect(appender.calls).to.deep.equal([['zombie', 'fine'], ['fine']]);
  });

  it('waits on flush until all is on the log, trying at once', async () => {
    const appender = scripted(away);
    const outbox = new Outbox({ appender, logger: silentLogger });
    outbox.push(record('a'));
    expect(await outbox.flush(10_000)).to.equal(true);
    expect(appender.calls.at(-1)).to.deep.equal(['a']);
  });

  it('gives up a flush whose time is up', async () => {
    const outbox = new Outbox({ appender: { append: () => new Promise(() => {}) }, logger: silentLogger });
    outbox.push(record('a'));
    expect(await outbox.flush(10)).to.equal(false);
    expect(outbox.pending).to.equal(1);
    expect(outbox.stuckMs).to.be.above(0);
  });

  it('takes no more than it may hold, and nothing once closed', () => {
    const outbox = new Outbox({ appender: scripted(), logger: silentLogger, maxPending: 1 });
    expect(outbox.push(record('a'))).to.equal(true);
    expect(outbox.push(record('b'))).to.equal(false);
    outbox.close();
    expect(outbox.push(record('c'))).to.equal(false);
  });
});
