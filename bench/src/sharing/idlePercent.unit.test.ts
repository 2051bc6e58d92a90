import { expect } from 'chai';
import { idlePercent } from './idlePercent.ts';

describe('idlePercent', () => {
  const window = { from: 1_000, to: 2_000 };

  it('is the time of the slots that no run takes', () => {
    const runs = [
      { startedAt: 1_000, endedAt: 2_000 },
      { startedAt: 1_200, endedAt: 1_700 },
    ];
    expect(idlePercent(runs, window, 2)).to.equal(25);
  });

  it('counts of a run what lies within the window', () => {
    const runs = [
      { startedAt: 0, endedAt: 1_500 },
      { startedAt: 1_750, endedAt: undefined },
      { startedAt: 2_100, endedAt: 2_200 },
    ];
    expect(idlePercent(runs, window, 1)).to.equal(25);
  });
});
