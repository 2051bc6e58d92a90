import { expect } from 'chai';
import { percentiles } from '../percentiles.ts';
import { evenTasks, unevenTasks } from './workloads.ts';

const timesOf = ({ tasks }: ReturnType<typeof evenTasks>): number[] =>
  tasks.map(({ payload }) => (payload as { sleepMs: number }).sleepMs);

describe('workloads', () => {
  it('has tasks of one length', () => {
    const workload = evenTasks(3);
    expect(timesOf(workload)).to.deep.equal([20, 20, 20]);
    expect(workload.meanMs).to.equal(20);
  });

  it('has tasks whose times differ a hundredfold around their median, the same each time', () => {
    const times = timesOf(unevenTasks(10_000, 100));
    expect(timesOf(unevenTasks(10_000, 100))).to.deep.equal(times);
    expect(Math.min(...times)).to.equal(10);
    expect(Math.max(...times)).to.equal(1_000);
    expect(percentiles(times).p50).to.be.within(97, 103);
    const within = times.filter((time) => time > 10 && time < 1_000).length;
    expect(within / times.length).to.be.within(0.97, 0.99);
  });

  it('tells the mean of the times', () => {
    const workload = unevenTasks(1_000, 100);
    const times = timesOf(workload);
    expect(workload.meanMs).to.equal(times.reduce((a, b) => a + b, 0) / times.length);
  });
});
