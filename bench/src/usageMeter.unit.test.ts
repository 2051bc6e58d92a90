import { expect } from 'chai';
import { usageRows } from './usageMeter.ts';

describe('usageRows', () => {
  it('gives microseconds a task, shares of a core, and sums', () => {
    const MB = 1_048_576;
    const processes = [
      { name: 'kafka', cpuMicros: 1_000_000, residentBytes: 0, peakBytes: 300 * MB },
      { name: 'api', cpuMicros: 500_000, residentBytes: 0, peakBytes: 100 * MB },
    ];
    expect(usageRows({ seconds: 2, processes, elsewhereMicros: 100_000 }, 1_000)).to.deep.equal([
      { process: 'kafka', 'CPU µs/task': 1_000, '% of a core': 50, 'peak MB': 300 },
      { process: 'api', 'CPU µs/task': 500, '% of a core': 25, 'peak MB': 100 },
      { process: 'all', 'CPU µs/task': 1_500, '% of a core': 75, 'peak MB': 400 },
      { process: 'elsewhere', 'CPU µs/task': 100, '% of a core': 5, 'peak MB': 0 },
    ]);
  });
});
