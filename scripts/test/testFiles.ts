import { globSync } from 'node:fs';
import { root } from './run.ts';

/** What a test needs to run: nothing, servers, or the whole system. It is in the test file's name. */
export type Kind = 'unit' | 'integration' | 'e2e';

/** The files with tests of a kind, from the root, in alphabetical order. */
export function testFiles(kind: Kind): readonly string[] {
  return globSync(`**/*.${kind}.test.ts`, { cwd: root, exclude: ['**/node_modules', '**/dist'] }).sort();
}
