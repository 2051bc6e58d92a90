import { expect } from 'chai';
import { WakeUp } from './wakeUp.ts';

describe('a wake-up', () => {
  it('acts at each time that was asked for, also after an earlier one', async () => {
    const acted: number[] = [];
    await new Promise<void>((resolve) => {
      const begin = performance.now();
      const wakeUp = new WakeUp(() => {
        acted.push(performance.now() - begin);
        if (acted.length === 3) resolve();
      });
      for (const after of [30, 10, 50, 10]) wakeUp.at(begin + after);
    });
    for (const [index, after] of [10, 30, 50].entries()) expect(acted[index]).to.be.at.least(after);
  });

  it('acts once for what was asked for in one turn', async () => {
    let acted = 0;
    const wakeUp = new WakeUp(() => acted++);
    wakeUp.soon();
    wakeUp.soon();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(acted).to.equal(1);
  });

  it('does not act once it was stopped', async () => {
    let acted = 0;
    const wakeUp = new WakeUp(() => acted++);
    wakeUp.at(performance.now() + 5);
    wakeUp.stop();
    wakeUp.at(performance.now());
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(acted).to.equal(0);
  });
});
