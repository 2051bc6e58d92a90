import { expect } from 'chai';
import { Breather } from './breather.ts';

describe('a breather', () => {
  it('is one for all that take it at the same time, and a new one after it', async () => {
    const breather = new Breather(1);
    const [first, second] = [breather.take(), breather.take()];
    expect(first).to.equal(second);
    await first;
    expect(breather.take()).not.to.equal(first);
  });

  it('is cut short by who is in a hurry', async () => {
    const breather = new Breather(3_600_000);
    breather.end();
    for (let pauses = 0; pauses < 2; pauses++) {
      const pause = breather.take();
      breather.end();
      await pause;
    }
  });
});
