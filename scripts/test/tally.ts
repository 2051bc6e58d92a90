/** What a run of tests came to. */
export interface Tally {
  readonly passed: number;
  /** What failed, each in a line: the test's name, and what it says. */
  readonly failures: readonly string[];
}

const nothing: Tally = { passed: 0, failures: [] };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((a, b) => ({ passed: a.passed + b.passed, failures: [...a.failures, ...b.failures] }), nothing);
}

/** A check that is in order or not as a whole, such as a linter's run, counts as one test. */
export function single(exitCode: number): Tally {
  return exitCode === 0 ? { passed: 1, failures: [] } : { passed: 0, failures: [endedWith(exitCode)] };
}

/**
 * Holds a test runner's count against its exit: a run that failed without naming a test (it crashed, it did not
 * compile), or that ran no test although it was given some, counts as one failure.
 */
export function verdict(counted: Tally | undefined, exitCode: number): Tally {
  const { passed, failures } = counted ?? nothing;
  if (failures.length > 0) return { passed, failures };
  if (exitCode !== 0) return { passed, failures: [endedWith(exitCode)] };
  return passed === 0 ? { passed, failures: ['ran no test'] } : { passed, failures };
}

function endedWith(exitCode: number): string {
  return `ended with exit code ${exitCode}`;
}
