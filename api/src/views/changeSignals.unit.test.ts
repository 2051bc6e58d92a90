import { expect } from 'chai';
import { ChangeSignals } from './changeSignals.ts';

describe('ChangeSignals', () => {
  it('wakes those who watch a task, and nobody after they stopped', () => {
    const signals = new ChangeSignals();
    const seen: string[] = [];
    const stopA = signals.watchTask('a', (status) => seen.push(`1:${status}`));
    const stopB = signals.watchTask('a', (status) => seen.push(`2:${status}`));
    signals.onChanges([
      ['a', 1, 'queued'],
      ['b', 1, 'queued'],
    ]);
    stopA();
    signals.onChanges([['a', 2, 'running']]);
    stopB();
    signals.onChanges([['a', 3, 'success']]);
    expect(seen).to.deep.equal(['1:queued', '2:queued', '2:running']);
  });

  it('lets a watcher stop itself while it is woken', () => {
    const signals = new ChangeSignals();
    let calls = 0;
    const stop = signals.watchTask('a', () => {
      calls++;
      stop();
    });
    signals.onChanges([
      ['a', 1, 'queued'],
      ['a', 2, 'running'],
    ]);
    expect(calls).to.equal(1);
  });

  it('resolves at a flush of any tasks, or after the time', async () => {
    const signals = new ChangeSignals();
    const flushed = signals.nextFlush(60_000);
    signals.onChanges([]);
    await flushed;
    await signals.nextFlush(1);
  });
});
