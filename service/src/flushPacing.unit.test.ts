import { expect } from 'chai';
import { flushDelayMs, isFull, type Pacing } from './flushPacing.ts';

const pacing: Pacing = {
  maxWaitMs: 30,
  enoughRecords: 1_000,
  idleRecords: 100,
  maxRecords: 5_000,
  maxBytes: 1_000_000,
  lingerMs: 10,
};

describe('flushDelayMs', () => {
  const at = (records: number, lastFlushRecords: number, ageMs = 0) =>
    flushDelayMs(pacing, { records, events: 1, pressing: 1, openedAt: 1_000 }, lastFlushRecords, 1_000 + ageMs);

  it('is nothing while little comes', () => {
    expect(at(3, 2)).to.equal(0);
  });

  it('lets a batch grow older under load', () => {
    expect(at(3, 100)).to.equal(30);
    expect(at(100, 2)).to.equal(30);
    expect(at(100, 100, 20)).to.equal(10);
    expect(at(100, 100, 50)).to.equal(0);
  });

  it('never exceeds the longest wait, whatever the clock does', () => {
    expect(at(100, 100, -10_000)).to.equal(30);
  });

  it('is longer where only positions would be written, if so set', () => {
    const quiet = (records: number, ageMs: number, events = 0) =>
      flushDelayMs(
        { ...pacing, quietMs: 250 },
        { records, events, pressing: events, openedAt: 1_000 },
        0,
        1_000 + ageMs,
      );
    expect(quiet(3, 0)).to.equal(250);
    expect(quiet(900, 100)).to.equal(150);
    expect(quiet(1_000, 100)).to.equal(0);
    expect(quiet(3, 300)).to.equal(0);
    expect(quiet(3, 0, 1)).to.equal(0);
  });

  it('lingers while little comes where everything may wait', () => {
    const idle = (events: number, pressing: number, ageMs = 0, lastFlushRecords = 2) =>
      flushDelayMs(pacing, { records: 3, events, pressing, openedAt: 1_000 }, lastFlushRecords, 1_000 + ageMs);
    expect(idle(1, 0)).to.equal(10);
    expect(idle(1, 0, 4)).to.equal(6);
    expect(idle(1, 0, 11)).to.equal(0);
    expect(idle(2, 1)).to.equal(0);
    expect(idle(0, 0)).to.equal(0);
    expect(idle(1, 0, 0, 100)).to.equal(30);
  });

  it('ends when a batch is large enough', () => {
    expect(at(1_000, 1_000)).to.equal(0);
  });
});

describe('isFull', () => {
  it('goes by records and by bytes', () => {
    expect(isFull(pacing, { records: 4_999, bytes: 999_999 })).to.equal(false);
    expect(isFull(pacing, { records: 5_000, bytes: 0 })).to.equal(true);
    expect(isFull(pacing, { records: 1, bytes: 1_000_000 })).to.equal(true);
  });
});
