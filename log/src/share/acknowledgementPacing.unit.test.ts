import { expect } from 'chai';
import { AcknowledgementPacing } from './acknowledgementPacing.ts';

describe('the pacing of acknowledgements', () => {
  let pacing: AcknowledgementPacing;
  beforeEach(() => {
    pacing = new AcknowledgementPacing();
  });

  it('lets accepts wait for others', () => {
    expect(pacing.added(true, 0, 1_000)).to.equal(1_100);
    expect(pacing.added(true, 0, 1_050)).to.equal(1_100);
    expect(pacing.isDue(1_099)).to.equal(false);
    expect(pacing.isDue(1_100)).to.equal(true);
  });

  it('lets whole batches leave once there are many records in them, and parts not', () => {
    pacing.added(true, 0, 1_000);
    expect(pacing.added(true, 255, 1_010)).to.equal(1_100);
    expect(pacing.hasEnough).to.equal(false);
    expect(pacing.added(true, 1, 1_020)).to.equal(1_020);
    expect(pacing.hasEnough).to.equal(true);
    expect(pacing.isDue(1_020)).to.equal(false);
    expect(pacing.sent(1_015)).to.equal(1_115);
    expect(pacing.hasEnough).to.equal(false);
    expect(pacing.isDue(1_114)).to.equal(false);
    expect(pacing.isDue(1_115)).to.equal(true);
    expect(pacing.sent(undefined)).to.equal(undefined);
  });

  it('does not let others wait, nor what is hurried', () => {
    expect(pacing.added(false, 1, 1_000)).to.equal(1_000);
    pacing.sent(undefined);
    pacing.added(true, 0, 1_000);
    pacing.hurry(1_010);
    expect(pacing.isDue(1_010)).to.equal(true);
  });
});
