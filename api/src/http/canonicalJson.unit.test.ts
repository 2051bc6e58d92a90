import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalHash, canonicalJson } from './canonicalJson.ts';

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffled(member)]),
  );
};

describe('canonical JSON', () => {
  it('says the same as the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(JSON.parse(canonicalJson(value)))).to.equal(
          JSON.stringify(JSON.parse(canonicalJson(shuffled(value)))),
        );
        expect(canonicalHash(JSON.parse(canonicalJson(value)))).to.equal(canonicalHash(value));
      }),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalHash(shuffled(value))).to.equal(canonicalHash(value));
      }),
    );
  });

  it('tells apart what differs in order of elements, in kind or in place', () => {
    const values = [
      { a: [1, 2] },
      { a: [2, 1] },
      { a: ['1', 2] },
      { b: [1, 2] },
      { a: [1, 2], b: null },
      [{ a: [1, 2] }],
    ];
    expect(new Set(values.map(canonicalHash)).size).to.equal(values.length);
  });

  it('leaves out members that are undefined, as JSON does', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).to.equal('{"a":1}');
  });
});
