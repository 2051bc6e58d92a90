import { priorityShape } from '@taskflow/core/options';
import { z } from 'zod';
import { status } from './values.ts';

const id = z.uuid();
const time = z.iso.datetime();
const count = z.int().min(0);

const queuePlace = z
  .strictObject({ topic: z.string(), partition: count, offset: count })
  .describe('The record by which it was last queued');

const eventsPlace = z
  .strictObject({ topic: z.string(), partition: count, firstOffset: count, lastOffset: count })
  .describe('Where its other events lie, from the first to the last so far');

/** A task as every answer shows it: these members and no others. */
export const taskShape = z
  .strictObject({
    id,
    userId: id,
    type: z.string(),
    priority: priorityShape,
    status,
    payload: z.unknown().meta({ type: 'object' }),
    tags: z.array(z.string()),
    generation: count.describe('How often it was opened again after an end'),
    attempt: count.describe('The queued execution within the generation that it shows, from 1'),
    maxAttempts: count,
    retryCount: count,
    createdAt: time,
    runAt: time.nullable(),
    queuedAt: time.nullable(),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    error: z.strictObject({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
    result: z
      .strictObject({
        storage: z.string().describe('`inline`, `mongo` or `s3`'),
        ref: z.string().nullable(),
        preview: z.string().nullable(),
        size: count,
        contentType: z.string(),
        sha256: z.string(),
        expiresAt: time.nullable(),
      })
      .nullable()
      .describe('What is known of the result; the result itself is at `/tasks/{id}/result`'),
    workflowRunId: z.string().nullable(),
    scheduleId: z.string().nullable(),
    log: z.strictObject({ queue: queuePlace.nullable(), events: eventsPlace.nullable() }),
  })
  .meta({ id: 'Task', description: 'A task' });

export type TaskAnswer = z.input<typeof taskShape>;

/** The names of a page's members are the same for every list. */
export function pageShape(item: z.ZodType) {
  return z.strictObject({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Given as `cursor` it gets the next page; null on the last one'),
  });
}
