import { z } from 'zod';

const count = z.int().min(0);
const time = z.iso.datetime();

/** One event of a task's history. Members after `eventId` are there where the event has them. */
export const eventShape = z
  .strictObject({
    event: z.string().describe('`TaskQueued`, `TaskStarted`, …'),
    generation: count,
    attempt: count,
    at: time,
    workerId: z.string().nullable(),
    delivery: count.nullable().describe('How often the queue had handed out the record, where it was started'),
    topic: z.string(),
    partition: count,
    offset: count,
    counted: z.boolean().describe('Whether the state of the task follows from it'),
    eventId: z.uuid(),
    cause: z.string().optional().describe('Why it was queued'),
    starts: count.optional().describe('How often the attempt had been started'),
    progress: z.number().optional(),
    handOver: z.boolean().optional(),
    dueAt: time.optional(),
    error: z.strictObject({ code: z.string(), message: z.string(), retryable: z.boolean() }).optional(),
    durationMs: z.number().optional(),
    actor: z.uuid().optional().describe('Who cancelled it, or had it run again'),
    reason: z.string().optional().describe('In whose words'),
  })
  .meta({ id: 'TaskEvent', description: 'What happened to a task, and where the record of it lies' });

export type EventAnswer = z.input<typeof eventShape>;
