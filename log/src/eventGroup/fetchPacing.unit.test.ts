import { expect } from 'chai';
import { FetchPacing } from './fetchPacing.ts';

describe('the pacing of fetches', () => {
  /** A pacing, and how long it has each of so many fetches wait that follow one another at once. */
  function paced(perSecond?: number) {
    let now = 0;
    const pacing = new FetchPacing(perSecond, () => now);
    const fetch = (count: number, bytes = 200) =>
      Array.from({ length: count }, () => {
        const wait = pacing.fetched(bytes);
        now += wait;
        return wait;
      });
    return { fetch, pass: (ms: number) => (now += ms) };
  }

  it('lets a few follow each other at once, and then so many a second', () => {
    const { fetch } = paced();
    expect(fetch(20)).to.deep.equal(Array(20).fill(0));
    expect(fetch(3)).to.deep.equal([8, 8, 8]);
  });

  it('makes nobody wait who comes rarely', () => {
    const { fetch, pass } = paced();
    for (let i = 0; i < 100; i++) {
      expect(fetch(1)).to.deep.equal([0]);
      pass(10);
    }
  });

  it('does not count fetches that bring much', () => {
    const { fetch } = paced();
    expect(fetch(100, 33_555)).to.deep.equal(Array(100).fill(0));
    expect(fetch(20)).to.deep.equal(Array(20).fill(0));
  });

  it('is slower where so set, and counts more as little', () => {
    const { fetch } = paced(20);
    expect(fetch(6)).to.deep.equal([0, 0, 0, 0, 50, 50]);
    expect(fetch(1, 209_000)).to.deep.equal([50]);
    expect(fetch(1, 210_000)).to.deep.equal([0]);
  });

  it('has nobody wait for longer where waits are cut short', () => {
    let now = 0;
    const pacing = new FetchPacing(20, () => now);
    const waits = Array.from({ length: 10 }, () => {
      now += 1;
      return pacing.fetched(200);
    });
    expect(Math.max(...waits)).to.equal(50);
  });

  it('saves no more than for so many at once', () => {
    const { fetch, pass } = paced();
    pass(60_000);
    expect(fetch(21).at(-1)).to.equal(8);
  });
});
