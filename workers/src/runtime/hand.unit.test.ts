import type { Priority } from '@taskflow/schemas/topics';
import { expect } from 'chai';
import { FakeQueue, fakeSession } from '../testing/fakeLog.ts';
import { Hand } from './hand.ts';
import type { DeliveredRecord } from './ports.ts';
import { QueuePartition } from './queuePartition.ts';

const LOCK_MS = 15_000;

describe('Hand', () => {
  const session = fakeSession();
  let hand: Hand;
  beforeEach(() => {
    hand = new Hand();
  });

  /** Puts a record in at the moment at which it came, unless told otherwise. */
  function put(
    offset: number,
    { priority = 'normal', cameAt = 0, putAt = cameAt, ...more }: Partial<DeliveredRecord> & Came = {},
  ): void {
    const queue = new FakeQueue('sample', priority);
    const facts = {} as never; // asked for nothing here
    const partition = new QueuePartition({ priority, queue, facts }, 0);
    const lockedUntil = cameAt + LOCK_MS;
    const record = { offset, lockedUntil, session, delivery: 1, ...more } as DeliveredRecord;
    hand.put({ record, partition, highest: -1 }, putAt);
  }
  interface Came {
    priority?: Priority;
    cameAt?: number;
    putAt?: number;
  }
  function order(): number[] {
    const offsets: number[] = [];
    while (hand.size > 0) offsets.push(hand.next()!.record.offset);
    return offsets;
  }

  it('gives records as they came', () => {
    for (const offset of [3, 1, 2]) put(offset);
    expect(order()).to.deep.equal([3, 1, 2]);
    expect(hand.next()).to.equal(undefined);
  });

  it('gives what is more urgent before what has just come, but not before what has been there for a while', () => {
    put(0, { priority: 'normal' });
    put(1, { priority: 'low' });
    put(2, { priority: 'high', putAt: 99 });
    put(3, { priority: 'normal', putAt: 99 });
    put(4, { priority: 'high', putAt: 100 });
    expect(order()).to.deep.equal([2, 0, 3, 1, 4]);
  });

  it('drops what a session had that is lost', () => {
    const lost = fakeSession();
    put(0, { session: lost });
    put(1);
    hand.drop(lost);
    expect(order()).to.deep.equal([1]);
  });

  it('takes out what came before a time, but not what has been handed out often', () => {
    put(0, { cameAt: 1 });
    put(1, { cameAt: 1, delivery: 7 });
    put(2, { cameAt: 2 });
    expect(hand.takeOlder(2, 7).map(({ record }) => record.offset)).to.deep.equal([0]);
    expect(order()).to.deep.equal([1, 2]);
  });
});
