import { expect } from 'chai';
import { byteRangeOf } from './byteRange.ts';

describe('the range of bytes that is asked for', () => {
  for (const [header, size, expected] of [
    [undefined, 10, undefined],
    ['bytes=0-3', 10, { first: 0, last: 3 }],
    ['bytes=4-', 10, { first: 4, last: 9 }],
    ['bytes=-3', 10, { first: 7, last: 9 }],
    ['bytes=-30', 10, { first: 0, last: 9 }],
    ['bytes=5-500', 10, { first: 5, last: 9 }],
    ['Bytes=9-9', 10, { first: 9, last: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=4-3', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,4-5', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=99999999999999999999-', 10, undefined],
  ] as const) {
    it(`"${header}" of ${size} bytes`, () => {
      expect(byteRangeOf(header, size)).to.deep.equal(expected);
    });
  }
});
