import { expect } from 'chai';
import { LentSlots } from './lentSlots.ts';
import { Slots } from './slots.ts';
import type { TaskRun } from './taskRun.ts';

describe('LentSlots', () => {
  /** Two slots, both taken by runs that are being checked, of which so many may lend theirs. */
  function fixture(mostLent: number) {
    const slots = new Slots(2);
    const lent = new LentSlots(slots, () => mostLent);
    slots.onFreed(() => lent.giveBack());
    const begun: TaskRun[] = [];
    const run = (): TaskRun => {
      slots.begin();
      return { slot: 'held' } as TaskRun;
    };
    return { slots, lent, runs: [run(), run()] as const, begun, begin: (each: TaskRun) => () => begun.push(each) };
  }

  it('lets others have a slot meanwhile, and the run the next one', () => {
    const { slots, lent, runs, begun, begin } = fixture(1);
    const [lender, keeper] = runs;
    lent.lend(lender);
    lent.lend(keeper);
    expect([lender.slot, keeper.slot, slots.free]).to.deep.equal(['lent', 'held', 1]);
    slots.begin();
    lent.whenBack(lender, begin(lender));
    lent.whenBack(keeper, begin(keeper));
    expect(begun).to.deep.equal([keeper]);
    expect(lent.waitingCount).to.equal(1);
    slots.end();
    expect(begun).to.deep.equal([keeper, lender]);
    expect(lender.slot).to.equal('held');
    expect(slots.inUse).to.equal(2);
  });

  it('passes over a run that will not begin', () => {
    const { slots, lent, runs, begun, begin } = fixture(2);
    for (const run of runs) lent.lend(run);
    slots.begin();
    slots.begin();
    for (const run of runs) lent.whenBack(run, begin(run));
    expect(lent.waitingSince(performance.now() + 1)).to.deep.equal(runs);
    lent.drop(runs[0]);
    slots.end();
    expect(begun).to.deep.equal([runs[1]]);
    expect(lent.waitingCount).to.equal(0);
  });

  it('gives the slot back at once where nobody has taken it', () => {
    const { slots, lent, runs, begun, begin } = fixture(2);
    lent.lend(runs[0]);
    lent.whenBack(runs[0], begin(runs[0]));
    expect(begun).to.deep.equal([runs[0]]);
    expect(slots.inUse).to.equal(2);
  });
});
