/** How many tests passed and failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

const nothing: Tally = { passed: 0, failed: 0 };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), nothing);
}

/** A check that is in order or not as a whole, such as a linter's run, counts as one test. */
export function single(exitCode: number): Tally {
  return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/**
 * Holds a test runner's count against its exit: a run that failed without naming a test (it crashed, it did not
 * compile), or that ran no test although it was given some, counts as one failure.
 */
export function verdict(counted: Tally | undefined, exitCode: number): Tally {
  const { passed, failed } = counted ?? nothing;
  const silent = failed === 0 && (exitCode !== 0 || passed === 0);
  return silent ? { passed, failed: 1 } : { passed, failed };
}
