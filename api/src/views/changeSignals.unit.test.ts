import { expect } from 'chai';
import { ChangeSignals } from './changeSignals.ts';

describe('ChangeSignals', () => {
  it('wakes those who watch a task, and nobody after they stopped', () => {
    const signals = new ChangeSignals();
    const seen: string[] = [];
    const stopA = signals.watchTask('a', (status) => seen.push(`1:${status}`));
    const stopB = signals.watchTask('a', (status) => seen.push(`2:${status}`));
    signals.onFlush(() => [
      ['a', 1, 'queued'],
      ['b', 1, 'queued'],
    ]);
    stopA();
    signals.onFlush(() => [['a', 2, 'running']]);
    stopB();
    signals.onFlush(() => [['a', 3, 'success']]);
    expect(seen).to.deep.equal(['1:queued', '2:queued', '2:running']);
  });

  it('lets a watcher stop itself while it is woken', () => {
    const signals = new ChangeSignals();
    let calls = 0;
    const stop = signals.watchTask('a', () => {
      calls++;
      stop();
    });
    signals.onFlush(() => [
      ['a', 1, 'queued'],
      ['a', 2, 'running'],
    ]);
    expect(calls).to.equal(1);
  });

  it('reads what changed only where somebody watches a task', async () => {
    const signals = new ChangeSignals();
    let reads = 0;
    const read = (): [string, number, string][] => {
      reads++;
      return [['a', 1, 'queued']];
    };
    const flushed = signals.nextFlush(60_000);
    signals.onFlush(read);
    await flushed;
    expect(reads).to.equal(0);
    signals.watchTask('b', () => {});
    signals.onFlush(read);
    expect(reads).to.equal(1);
  });

  it('resolves at a flush of any tasks, or after the time', async () => {
    const signals = new ChangeSignals();
    const flushed = signals.nextFlush(60_000);
    signals.onFlush(() => []);
    await flushed;
    await signals.nextFlush(1);
  });
});
