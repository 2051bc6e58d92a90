import { expect } from 'chai';
import fc from 'fast-check';
import { isDeeperThan } from './jsonDepth.ts';

const depthOf = (value: unknown): number =>
  value !== null && typeof value === 'object' ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe('isDeeperThan', () => {
  it('agrees with the depth of the parsed value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(9), fc.constantFrom(undefined, 2), (value, limit, space) => {
        const bytes = Buffer.from(JSON.stringify(value, null, space));
        expect(isDeeperThan(bytes, limit)).to.equal(depthOf(value) > limit);
      }),
    );
  });

  it('does not count brackets in strings, also after escaped quotes', () => {
    const text = JSON.stringify({ a: '[[[{{{"[[\\', '{"[': '\\"[[' });
    expect(isDeeperThan(Buffer.from(text), 1)).to.equal(false);
  });

  it('stops at text that is not JSON', () => {
    for (const text of ['"', '"\\', '[', ']]]', '']) expect(isDeeperThan(Buffer.from(text), 1)).to.equal(false);
    expect(isDeeperThan(Buffer.from('['.repeat(100_000)), 64)).to.equal(true);
  });
});
