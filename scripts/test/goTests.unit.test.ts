import { expect } from 'chai';
import { readGoTestEvents } from './goTests.ts';

/** As `go test -json` writes them, one event a line. */
const read = (...events: object[]) => readGoTestEvents(events.map((event) => JSON.stringify(event)));

describe('readGoTestEvents', () => {
  it('counts tests, and shows one line for a package that passes', () => {
    const { tally, shown } = read(
      { Action: 'run', Package: 'fold', Test: 'TestMerge' },
      { Action: 'output', Package: 'fold', Test: 'TestMerge', Output: '--- PASS: TestMerge\n' },
      { Action: 'pass', Package: 'fold', Test: 'TestMerge' },
      { Action: 'output', Package: 'fold', Output: 'PASS\n' },
      { Action: 'output', Package: 'fold', Output: 'ok  \tfold\t0.01s\n' },
      { Action: 'pass', Package: 'fold' },
    );
    expect(tally).to.deep.equal({ passed: 1, failures: [] });
    expect(shown).to.equal('ok  \tfold\t0.01s\n');
  });

  it('counts a failed test once, though its package fails with it, and shows what it said', () => {
    const { tally, shown } = read(
      { Action: 'output', Package: 'fold', Test: 'TestMerge', Output: 'got 2, want 1\n' },
      { Action: 'fail', Package: 'fold', Test: 'TestMerge' },
      { Action: 'output', Package: 'fold', Output: 'FAIL\tfold\n' },
      { Action: 'fail', Package: 'fold' },
    );
    expect(tally).to.deep.equal({ passed: 0, failures: ['fold TestMerge'] });
    expect(shown).to.equal('got 2, want 1\nFAIL\tfold\n');
  });

  it('shows what a test said that was ended with its package', () => {
    const { tally, shown } = read(
      { Action: 'run', Package: 'fold', Test: 'TestMerge' },
      { Action: 'run', Package: 'fold', Test: 'TestHangs' },
      { Action: 'output', Package: 'fold', Test: 'TestMerge', Output: 'merged\n' },
      { Action: 'pass', Package: 'fold', Test: 'TestMerge' },
      { Action: 'output', Package: 'fold', Test: 'TestHangs', Output: 'panic: test timed out after 10m0s\n' },
      { Action: 'output', Package: 'fold', Output: 'FAIL\tfold\t600.0s\n' },
      { Action: 'fail', Package: 'fold' },
    );
    expect(tally).to.deep.equal({ passed: 1, failures: ['fold'] });
    expect(shown).to.equal('panic: test timed out after 10m0s\nFAIL\tfold\t600.0s\n');
  });

  it('counts a package that does not compile as one failure', () => {
    const { tally, shown } = readGoTestEvents([
      '# fold',
      './fold.go:3:1: syntax error',
      JSON.stringify({ Action: 'fail', Package: 'fold' }),
    ]);
    expect(tally).to.deep.equal({ passed: 0, failures: ['fold'] });
    expect(shown).to.include('syntax error');
  });
});
