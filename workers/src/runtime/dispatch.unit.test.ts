import { silentLogger } from '@taskflow/log/logger';
import { expect } from 'chai';
import { Dispatch } from './dispatch.ts';
import { Lead } from './lead.ts';
import type { DeliveredRecord } from './ports.ts';
import { Slots } from './slots.ts';

const SLOTS = 100;

describe('Dispatch', () => {
  /** Lets 50 fetches be answered at once, each with so many records that end at once; gives the shortest time between two of them. */
  async function shortestInterval(given: number): Promise<number> {
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const begun: number[] = [];
    const dispatch = new Dispatch({
      queues: {
        slotsFreed() {},
        async fetch() {
          if (begun.push(performance.now()) === 50) resolve();
          await new Promise(setImmediate);
          return Array.from({ length: given }, () => ({}) as DeliveredRecord);
        },
      },
      slots: new Slots(SLOTS),
      lead: new Lead(SLOTS, performance.now()),
      inHand: () => 0,
      take() {},
      isHeld: () => false,
      logger: silentLogger,
    });
    dispatch.start();
    await enough;
    await dispatch.stop();
    return Math.min(...begun.slice(1).map((at, index) => at - begun[index]!));
  }

  it('lets gather what comes, where fetches bring a little of what they ask for', async () => {
    // Timers of Node.js may be a millisecond early.
    expect(await shortestInterval(4)).to.be.greaterThan(3);
    expect(await shortestInterval(20)).to.be.greaterThan(9);
  });

  it('asks again at once where records wait', async () => {
    expect(await shortestInterval(SLOTS / 2)).to.be.lessThan(3);
  });
});
