import { expect } from 'chai';
import { sum, verdict } from './tally.ts';

describe('verdict', () => {
  it('takes the count of a run that says what failed', () => {
    expect(verdict({ passed: 3, failed: 2 }, 2)).to.deep.equal({ passed: 3, failed: 2 });
    expect(verdict({ passed: 3, failed: 0 }, 0)).to.deep.equal({ passed: 3, failed: 0 });
  });

  it('counts a run that ended badly without naming a test as one failure', () => {
    expect(verdict({ passed: 3, failed: 0 }, 7)).to.deep.equal({ passed: 3, failed: 1 });
    expect(verdict(undefined, 1)).to.deep.equal({ passed: 0, failed: 1 });
  });

  it('counts a run without any test as one failure', () => {
    expect(verdict({ passed: 0, failed: 0 }, 0)).to.deep.equal({ passed: 0, failed: 1 });
    expect(verdict(undefined, 0)).to.deep.equal({ passed: 0, failed: 1 });
  });
});

describe('sum', () => {
  it('adds up', () => {
    expect(sum([])).to.deep.equal({ passed: 0, failed: 0 });
    expect(sum([verdict(undefined, 1), { passed: 2, failed: 1 }])).to.deep.equal({ passed: 2, failed: 2 });
  });
});
