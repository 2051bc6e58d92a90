import type { Answer } from './endpoint.ts';
import { Problem } from './problem.ts';

/** The handler of an address that is fixed, but has nothing behind it yet. */
export function notYet(what: string): () => Answer {
  return () => {
    throw new Problem('not-implemented', `${what} is not available in this version.`);
  };
}
