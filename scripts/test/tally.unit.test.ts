import { expect } from 'chai';
import { sum, verdict } from './tally.ts';

describe('verdict', () => {
  it('takes the count of a run that says what failed', () => {
    const named = { passed: 3, failures: ['merges: expected 1', 'splits: expected 2'] };
    expect(verdict(named, 2)).to.deep.equal(named);
    expect(verdict({ passed: 3, failures: [] }, 0)).to.deep.equal({ passed: 3, failures: [] });
  });

  it('counts a run that ended badly without naming a test as one failure', () => {
    expect(verdict({ passed: 3, failures: [] }, 7)).to.deep.equal({ passed: 3, failures: ['ended with exit code 7'] });
    expect(verdict(undefined, 1)).to.deep.equal({ passed: 0, failures: ['ended with exit code 1'] });
  });

  it('counts a run without any test as one failure', () => {
    expect(verdict({ passed: 0, failures: [] }, 0)).to.deep.equal({ passed: 0, failures: ['ran no test'] });
    expect(verdict(undefined, 0)).to.deep.equal({ passed: 0, failures: ['ran no test'] });
  });
});

describe('sum', () => {
  it('adds up', () => {
    expect(sum([])).to.deep.equal({ passed: 0, failures: [] });
    expect(sum([verdict(undefined, 1), { passed: 2, failures: ['merges'] }])).to.deep.equal({
      passed: 2,
      failures: ['ended with exit code 1', 'merges'],
    });
  });
});
