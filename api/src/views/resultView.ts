import type { Collection } from 'mongodb';
import { Problem } from '../http/problem.ts';
import { answerLimit } from './answerLimit.ts';

/** The Mongo view `results`. */
export interface ResultView {
  /**
   * The result that a task names, as JSON text. It waits for the view, which may be a little behind, and answers
   * `view-behind` where it does not come: the result exists, so it is never reported as missing.
   */
  require(ref: string): Promise<string>;
}

export interface ResultDocument {
  readonly _id: string;
  readonly value: unknown;
  /** The JSON text, where the value could not be a document. */
  readonly json?: string;
}

const CATCH_UP_MS = 2_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;

export function resultView(results: Pick<Collection<ResultDocument>, 'findOne'>): ResultView {
  return {
    async require(ref) {
      const deadline = performance.now() + CATCH_UP_MS;
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
        const found = await results
          .findOne({ _id: ref }, { projection: { value: 1, json: 1 }, signal: answerLimit() })
          .catch((error: unknown) => {
            throw new Problem(
              'store-unavailable',
              'The store of results does not answer at present; the result is safe.',
              {
                retryAfter: 5,
                cause: error,
              },
            );
          });
        if (found !== null) return found.json ?? JSON.stringify(found.value);
        if (performance.now() + pause > deadline) {
          throw new Problem('view-behind', 'The result has not reached its view yet; it is safe on the log.', {
            retryAfter: 1,
          });
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
  };
}
