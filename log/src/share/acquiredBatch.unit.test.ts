import { expect } from 'chai';
import { Acknowledgements, acknowledgementTypes } from './acknowledgements.ts';
import { AcquiredBatch } from './acquiredBatch.ts';

const { accept, release } = acknowledgementTypes;

/** A batch of the offsets from 10 on, of which those were delivered. */
function batch(last: number, delivered: number): AcquiredBatch {
  const acquired = new AcquiredBatch(10, last);
  for (let i = 0; i < delivered; i++) acquired.delivered();
  return acquired;
}

describe('an acquired batch', () => {
  let acknowledgements: Acknowledgements;
  beforeEach(() => {
    acknowledgements = new Acknowledgements();
  });

  it('is settled with its last record, and acknowledged as one, in whatever order that was', () => {
    const acquired = batch(12, 3);
    for (const offset of [11, 10, 12]) {
      expect(acquired.isSettled).to.equal(false);
      acquired.settle(offset, accept, offset);
    }
    expect(acquired.isSettled).to.equal(true);
    expect(acquired.settledSince).to.equal(11);
    expect(acquired.giveTo(acknowledgements)).to.equal(3);
    expect(acknowledgements.take()).to.deep.equal([{ first: 10, last: 12, type: accept }]);
  });

  it('is acknowledged by what became of each record', () => {
    const acquired = batch(12, 3);
    acquired.settle(10, accept, 0);
    acquired.settle(11, release, 0);
    acquired.settle(12, accept, 0);
    acquired.giveTo(acknowledgements);
    expect(acknowledgements.take()).to.deep.equal([
      { first: 10, last: 10, type: accept },
      { first: 11, last: 11, type: release },
      { first: 12, last: 12, type: accept },
    ]);
  });

  it('is acknowledged in parts, each once', () => {
    const acquired = batch(12, 3);
    acquired.settle(12, accept, 0);
    expect(acquired.giveTo(acknowledgements)).to.equal(1);
    acquired.settle(10, accept, 5);
    acquired.settle(11, accept, 6);
    expect(acquired.settledSince).to.equal(5);
    expect(acquired.isSettled).to.equal(true);
    expect(acquired.giveTo(acknowledgements)).to.equal(2);
    expect(acknowledgements.take()).to.deep.equal([{ first: 10, last: 12, type: accept }]);
  });

  it('does not acknowledge offsets without a record', () => {
    const acquired = batch(12, 2);
    acquired.settle(10, accept, 0);
    acquired.settle(12, accept, 0);
    acquired.giveTo(acknowledgements);
    expect(acknowledgements.take()).to.deep.equal([
      { first: 10, last: 10, type: accept },
      { first: 12, last: 12, type: accept },
    ]);
  });

  it('drops what was not given on', () => {
    const acquired = batch(12, 3);
    acquired.settle(10, accept, 0);
    expect(acquired.drop()).to.equal(1);
    expect(acquired.giveTo(acknowledgements)).to.equal(0);
  });
});
