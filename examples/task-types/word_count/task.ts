import { defineTask } from '@taskflow/workers/defineTask';
import { z } from 'zod';

/** Counts the words of a text. */
export default defineTask({
  type: 'word_count',
  version: 1,
  payload: z.strictObject({ text: z.string().max(100_000) }),
  result: z.object({ words: z.int() }),
  inline: true, // small and never queried: kept with the task, not in the result view
  run: ({ payload }) => ({ words: payload.text.split(/\s+/).filter((word) => word !== '').length }),
});
