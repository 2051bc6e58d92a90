import { expect } from 'chai';
import fc from 'fast-check';
import {
  type AcknowledgementRange,
  Acknowledgements,
  type AcknowledgementType,
  acknowledgementTypes,
  countOf,
  halved,
} from './acknowledgements.ts';

const { accept, release, reject, gap, renew } = acknowledgementTypes;

function taken(...added: [offset: number, type: AcknowledgementType][]): AcknowledgementRange[] {
  const acknowledgements = new Acknowledgements();
  for (const [offset, type] of added) acknowledgements.add(offset, type);
  return acknowledgements.take();
}

describe('acknowledgements', () => {
  it('merges neighbours of one kind, in whatever order they were added', () => {
    expect(taken([7, accept], [5, accept], [6, accept], [9, accept])).to.deep.equal([
      { first: 5, last: 7, type: accept },
      { first: 9, last: 9, type: accept },
    ]);
  });

  it('keeps kinds apart', () => {
    expect(taken([0, accept], [1, release], [2, release], [3, reject])).to.deep.equal([
      { first: 0, last: 0, type: accept },
      { first: 1, last: 2, type: release },
      { first: 3, last: 3, type: reject },
    ]);
  });

  it('lets an accept beat a release, and anything a renewal', () => {
    expect(taken([1, release], [1, accept], [2, renew], [2, release])).to.deep.equal([
      { first: 1, last: 1, type: accept },
      { first: 2, last: 2, type: release },
    ]);
  });

  it('puts ranges among single offsets', () => {
    const acknowledgements = new Acknowledgements();
    acknowledgements.addRanges([{ first: 4, last: 900_000_000_000, type: gap }]);
    acknowledgements.add(3, accept);
    acknowledgements.addRanges([{ first: 0, last: 2, type: accept }]);
    expect(acknowledgements.take()).to.deep.equal([
      { first: 0, last: 3, type: accept },
      { first: 4, last: 900_000_000_000, type: gap },
    ]);
    expect(acknowledgements.empty).to.equal(true);
    expect(acknowledgements.take()).to.deep.equal([]);
  });

  it('covers just what was added: ascending, without overlaps, nothing left to merge', () => {
    const offsets = fc.uniqueArray(fc.record({ offset: fc.nat(60), type: fc.constantFrom(accept, release, reject) }), {
      selector: ({ offset }) => offset,
    });
    fc.assert(
      fc.property(offsets, (added) => {
        const ranges = taken(...added.map(({ offset, type }) => [offset, type] as [number, AcknowledgementType]));
        const covered = ranges.flatMap(({ first, last, type }) =>
          Array.from({ length: last - first + 1 }, (_, index) => ({ offset: first + index, type })),
        );
        expect(covered).to.deep.equal([...added].sort((a, b) => a.offset - b.offset));
        for (const [index, range] of ranges.entries()) {
          const next = ranges[index + 1];
          if (next) expect(range.last + 1 < next.first || range.type !== next.type).to.equal(true);
        }
      }),
    );
  });

  it('halves ranges without losing an offset', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        let at = 0;
        const ranges = lengths.map((length) => {
          const range = { first: at, last: at + length - 1, type: accept };
          at += length + 1;
          return range;
        });
        const [head, tail] = halved(ranges);
        expect(countOf(head) + countOf(tail)).to.equal(countOf(ranges));
        expect(countOf(head) - countOf(tail)).to.be.within(0, 1);
        expect(head.at(-1)!.last).to.be.lessThan(tail[0]?.first ?? Number.POSITIVE_INFINITY);
      }),
    );
  });
});
