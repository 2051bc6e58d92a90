import { expect } from 'chai';
import { ChangeSignals } from './changeSignals.ts';
import { freshOnly, ViewPositions } from './viewPositions.ts';

const map = (entries: Record<string, number>) => new Map(Object.entries(entries));

describe('freshOnly', () => {
  it('answers a call by a question that began after it, and asks one at a time', async () => {
    const asked: ((value: number) => void)[] = [];
    const call = freshOnly(() => new Promise<number>((resolve) => asked.push(resolve)));
    const first = call();
    const second = call();
    const third = call();
    expect(asked).to.have.length(1);
    asked[0]?.(1);
    expect(await first).to.equal(1);
    await Promise.resolve();
    expect(asked).to.have.length(2);
    asked[1]?.(2);
    expect(await Promise.all([second, third])).to.deep.equal([2, 2]);
  });

  it('goes on after a question that failed', async () => {
    let calls = 0;
    const call = freshOnly(async () => {
      if (++calls === 1) throw new Error('away');
      return calls;
    });
    const [first, second] = await Promise.allSettled([call(), call()]);
    expect(first).to.include({ status: 'rejected' });
    expect(second).to.deep.equal({ status: 'fulfilled', value: 2 });
  });
});

describe('ViewPositions', () => {
  it('passes at once on a log that is idle and applied', async () => {
    const view = new ViewPositions({
      logEnds: async () => map({ 'q/0': 5, 'e/0': 0 }),
      viewPositions: async () => map({ 'q/0': 5 }),
      signals: new ChangeSignals(),
    });
    expect(await view.passed(60_000)).to.equal(true);
  });

  it('passes with the flush that brings the last partition there', async () => {
    const signals = new ChangeSignals();
    const positions = map({ 'q/0': 4, 'e/0': 9 });
    const view = new ViewPositions({
      logEnds: async () => map({ 'q/0': 5, 'e/0': 10 }),
      viewPositions: async () => {
        const now = new Map(positions);
        queueMicrotask(() => {
          positions.set('e/0', 10);
          if (now.get('e/0') === 10) positions.set('q/0', 7);
          setImmediate(() => signals.onFlush(() => []));
        });
        return now;
      },
      signals,
    });
    expect(await view.passed(60_000)).to.equal(true);
    expect(positions.get('q/0')).to.equal(7);
  });

  it('gives up at its limit, or when it is stopped', async () => {
    const view = new ViewPositions({
      logEnds: async () => map({ 'q/0': 5 }),
      viewPositions: async () => map({}),
      signals: new ChangeSignals(),
    });
    expect(await view.passed(1)).to.equal(false);
    expect(await view.passed(60_000, { stopped: true })).to.equal(false);
  });

  it('gives up on a log that does not say where it ends', async () => {
    const view = new ViewPositions({
      logEnds: () => new Promise(() => {}),
      viewPositions: async () => map({}),
      signals: new ChangeSignals(),
    });
    expect(await view.passed(1)).to.equal(false);
  });

  it('rejects where the log cannot be asked', async () => {
    const view = new ViewPositions({
      logEnds: () => Promise.reject(new Error('away')),
      viewPositions: async () => map({}),
      signals: new ChangeSignals(),
    });
    const failure = await view.passed(60_000).catch((error: Error) => error.message);
    expect(failure).to.equal('away');
  });
});
