import type { Tally } from './tally.ts';

/** A line of `go test -json`, as far as it is read here. */
interface GoTestEvent {
  readonly Action: string;
  readonly Package?: string;
  readonly Test?: string;
  readonly Output?: string;
}

/** What a run of `go test -json` said: its count, and what is worth showing. */
export interface GoTestReport {
  readonly tally: Tally;
  /** The output of what failed, and one line for each package. */
  readonly shown: string;
}

/** Reads the output of `go test -json`. Subtests count beside their parents; a package that does not compile fails once. */
export function readGoTestEvents(lines: readonly string[]): GoTestReport {
  let passed = 0;
  /** The tests of each package that failed. */
  const failedIn = new Map<string, string[]>();
  const outputs = new Map<string, string[]>();
  /** The tests of each package that have begun and not ended. */
  const running = new Map<string, Set<string>>();
  const shown: string[] = [];
  for (const line of lines) {
    if (!line.startsWith('{')) {
      shown.push(`${line}\n`);
      continue;
    }
    const { Action: action, Package: name = '', Test: test, Output: output = '' } = JSON.parse(line) as GoTestEvent;
    const key = `${name} ${test ?? ''}`;
    if (test !== undefined && action === 'run') running.set(name, (running.get(name) ?? new Set()).add(key));
    if (test !== undefined && isEnd(action)) running.get(name)?.delete(key);
    if (action === 'output' || action === 'build-output') outputs.set(key, [...(outputs.get(key) ?? []), output]);
    if (action === 'pass' && test !== undefined) passed++;
    if (action === 'fail' || action === 'build-fail') {
      if (test !== undefined) failedIn.set(name, [...(failedIn.get(name) ?? []), key]);
      else if (!failedIn.has(name)) failedIn.set(name, [name]);
      // A package that was ended in the middle of a test says there why.
      if (test === undefined) shown.push(...[...(running.get(name) ?? [])].flatMap((each) => outputs.get(each) ?? []));
      shown.push(...(outputs.get(key) ?? []));
    }
    if (action === 'pass' && test === undefined) shown.push(...(outputs.get(key) ?? []).slice(-1));
  }
  return { tally: { passed, failures: [...failedIn.values()].flat() }, shown: shown.join('') };
}

function isEnd(action: string): boolean {
  return action === 'pass' || action === 'fail' || action === 'skip';
}
