import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from '@taskflow/workers/defineTask';
import { z } from 'zod';

/** As large as what a page or an answer gives after it was read: some 300 bytes of JSON. */
const DOCUMENT = {
  url: 'https://example.com/articles/42',
  status: 200,
  title: 'An article of no particular interest',
  description: 'A few words about it, as a page has them in its head for those who list it',
  headings: ['The first', 'The second', 'The third'],
  links: { inside: 17, outside: 4 },
  words: 812,
};

/** Does what `noop` does, but for its result: a document in the result view instead of a value within the task. */
export default defineTask({
  type: 'noop_document',
  version: 1,
  payload: z.looseObject({ sleepMs: z.number().min(0).max(86_400_000).optional() }),
  result: z.unknown(),
  slots: 1_000,
  testOnly: true,
  run: ({ payload: { sleepMs }, signal }) =>
    sleepMs === undefined ? DOCUMENT : sleep(sleepMs, undefined, { signal }).then(() => DOCUMENT),
});
