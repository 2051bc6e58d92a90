import { expect } from 'chai';
import { waitPreference } from './prefer.ts';

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
