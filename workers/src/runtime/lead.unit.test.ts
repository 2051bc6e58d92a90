import { expect } from 'chai';
import { Lead } from './lead.ts';

/** A worker whose fetches each take so long, ask for as much, and leave at once one after the other. */
function lead(slots: number, { freedPerMs, tookMs, forMs = 2_000, given = 1 }: Load): Lead {
  const all = new Lead(slots, 0);
  for (let now = tookMs; now <= forMs; now += tookMs) {
    all.answered({ asked: 4, given: 4 * given, tookMs, freed: Math.floor(now * freedPerMs) }, now);
  }
  return all;
}

interface Load {
  readonly freedPerMs: number;
  readonly tookMs: number;
  readonly forMs?: number;
  /** Part of what was asked for. */
  readonly given?: number;
}

describe('Lead', () => {
  it('is none at first', () => {
    expect(new Lead(64, 0)).to.include({ records: 0, step: 1 });
  });

  it('is what comes free until an answer, and in ten milliseconds more', () => {
    expect(lead(64, { freedPerMs: 0.42, tookMs: 5 })).to.include({ records: 6, step: 3 });
  });

  it('grows with what a fetch takes', () => {
    expect(lead(64, { freedPerMs: 0.42, tookMs: 20 })).to.include({ records: 12, step: 4 });
  });

  it('is none where slots come free seldom', () => {
    expect(lead(64, { freedPerMs: 0.06, tookMs: 5 })).to.include({ records: 0, step: 1 });
  });

  it('is half of the slots at most', () => {
    expect(lead(64, { freedPerMs: 20, tookMs: 5 })).to.include({ records: 32, step: 16 });
    expect(lead(1, { freedPerMs: 20, tookMs: 5 })).to.include({ records: 0, step: 1 });
  });

  it('is none as soon as the queues have less than half of what they are asked for', () => {
    expect(lead(64, { freedPerMs: 0.42, tookMs: 5, given: 0.5 }).records).to.equal(6);
    expect(lead(64, { freedPerMs: 0.42, tookMs: 5, given: 0.25 }).records).to.equal(0);
  });

  it('follows when tasks begin to take longer', () => {
    const slowed = lead(64, { freedPerMs: 0.42, tookMs: 5 });
    for (let now = 2_050; now <= 2_500; now += 50) slowed.answered({ asked: 1, given: 1, tookMs: 5, freed: 840 }, now);
    expect(slowed.records).to.equal(0);
  });
});
