import { expect } from 'chai';
import { simulate } from './simulate.ts';
import { summaryOf } from './summary.ts';

/** `TASKFLOW_SIMULATION_SEED=<seed> TASKFLOW_SIMULATION_RUNS=1` repeats a run; main.ts tells its story. */
const runs = Number(process.env.TASKFLOW_SIMULATION_RUNS ?? 300);
const first = Number(process.env.TASKFLOW_SIMULATION_SEED ?? 1);

describe('the worker protocol, simulated', () => {
  const summary = summaryOf();

  it(`keeps its promises in ${runs} runs from seed ${first} on`, function () {
    this.timeout(300_000);
    for (let seed = first; seed < first + runs; seed++) summary.add(simulate(seed));
    const broken = summary.broken.map(({ seed, faults }) => `seed ${seed}: ${faults.join('; ')}`);
    expect(broken, 'broken promises').to.deep.equal([]);
  });

  it('starts nothing twice without a cause', () => {
    expect(summary.unexplained).to.deep.equal([]);
  });

  it('meets every decision', function () {
    if (runs < 300) this.skip();
    expect([...summary.counts.keys()]).to.include.members([
      'check: accept: ended',
      'check: accept: copy',
      'check: accept: handed-over',
      'check: hand-over',
      'check: fail',
      'check: run',
      'handed over: age',
      'handed over: window',
      'handed over: session-lost',
      'handed over: lock-passed',
      'failure of a zombie withheld',
      'overtaken',
      'fired: run',
      'fired: retry',
      'fired: lease',
      'fired: lease, given up',
    ]);
  });

  it('gives the same run for the same seed', () => {
    const again = [simulate(first), simulate(first)].map(({ attempts, starts, counts }) => ({
      attempts,
      starts,
      counts: [...counts],
    }));
    expect(again[0]).to.deep.equal(again[1]);
  });
});
