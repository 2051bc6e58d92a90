import { expect } from 'chai';
import { Availability } from './availability.ts';

const NEVER = Number.POSITIVE_INFINITY;

describe('what was not to be had', () => {
  it('is everything when nothing came, and what lies below what came', () => {
    const shown = new Availability();
    shown.shown(1_000, NEVER);
    shown.shown(3_000, 50);
    shown.shown(5_000, 70);
    expect(shown.unavailableAt(10, NEVER)).to.deep.equal([1_000, 3_000, 5_000]);
    expect(shown.unavailableAt(50, NEVER)).to.deep.equal([1_000, 5_000]);
    expect(shown.unavailableAt(70, NEVER)).to.deep.equal([1_000]);
  });

  it('is not told by the answer that brought the record, nor by later ones', () => {
    const shown = new Availability();
    shown.shown(1_000, NEVER);
    shown.shown(3_000, 50);
    expect(shown.unavailableAt(10, 3_000)).to.deep.equal([1_000]);
    expect(shown.unavailableAt(10, 1_000)).to.deep.equal([]);
  });

  it('is noted once a second, the latest always, and some minutes of it are kept', () => {
    const shown = new Availability();
    for (let at = 0; at <= 600_000; at += 100) shown.shown(at, NEVER);
    const times = shown.unavailableAt(0, NEVER);
    expect(times.at(-1)).to.equal(600_000);
    expect(times.length).to.be.within(250, 300);
    expect(times[0]).to.be.within(250_000, 400_000);
  });

  it('goes by time: an answer that is noted late changes nothing', () => {
    const shown = new Availability();
    shown.shown(2_000, 5);
    shown.shown(1_000, NEVER);
    expect(shown.unavailableAt(10, NEVER)).to.deep.equal([]);
  });
});
