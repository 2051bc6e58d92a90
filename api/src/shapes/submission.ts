import { priorityShape, retryShape, timeoutMsShape } from '@taskflow/core/options';
import { z } from 'zod';
import { anyObject, tag, time, typeName } from './values.ts';

export const MAX_TAGS = 20;

/** What a caller may say of one task. Everything else (owner, status, attempt, …) is not the caller's to say. */
export const submissionShape = z
  .strictObject({
    type: typeName,
    payload: anyObject.describe(
      "What the type's payload schema asks for; see `/types`. Numbers are doubles, as in JavaScript: longer ids belong in strings",
    ),
    priority: priorityShape.optional().describe('Without it that of the type, mostly `normal`'),
    runAt: time
      .optional()
      .describe('Not before this time; one that has passed is none. As far ahead at most as events are kept'),
    expiresAt: time.optional().describe('If it has not been started by then, it fails with `EXPIRED`'),
    retry: retryShape.optional(),
    timeoutMs: timeoutMsShape.optional().describe('Time limit of one attempt'),
    tags: z.array(tag).max(MAX_TAGS).optional(),
  })
  .meta({ id: 'TaskSubmission', description: 'A task to be run' });

export type Submission = z.output<typeof submissionShape>;

export const MAX_BATCH = 1_000;

export const batchShape = z
  .strictObject({ tasks: z.array(submissionShape).min(1).max(MAX_BATCH) })
  .meta({ id: 'BatchSubmission', description: 'Tasks that are accepted together, or not at all' });

/** Printable ASCII, as a header can carry it. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters without spaces')
  .optional()
  .describe('The same key with the same body within 24 hours gives the first answer’s tasks, and makes none');
