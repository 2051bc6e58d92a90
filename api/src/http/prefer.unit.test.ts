import { expect } from 'chai';
import { prefersMinimal, waitPreference } from './prefer.ts';

describe('waitPreference', () => {
  for (const [header, seconds] of [
    [undefined, undefined],
    ['', undefined],
    ['wait=10', 10],
    ['WAIT = 10', 10],
    ['wait="10"', 10],
    ['respond-async, wait=5', 5],
    ['wait=5; strict', 5],
    ['wait=0', 0],
    ['wait=3600', 60],
    ['wait=-1', undefined],
    ['wait=1.5', undefined],
    ['wait', undefined],
    ['waiter=3', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(header)} as ${seconds}`, () => expect(waitPreference(header)).to.equal(seconds));
  }
});

describe('Prefer: return', () => {
  const cases: readonly [string | undefined, boolean][] = [
    [undefined, false],
    ['return=minimal', true],
    ['wait=3, Return="Minimal"; why=bulk', true],
    ['return=representation', false],
    ['return=representation, return=minimal', false],
    ['return=minimalist', false],
    ['return', false],
  ];
  for (const [header, expected] of cases) {
    it(`${header === undefined ? 'absent' : `"${header}"`} ${expected ? 'asks' : 'does not ask'} for a minimal answer`, () => {
      expect(prefersMinimal(header)).to.equal(expected);
    });
  }
});
