import type { PoisonRecord } from '@taskflow/schemas/events';
import { within } from '@taskflow/service/within';
import { z } from 'zod';
import { decodeOffsetCursor, encodeOffsetCursor } from '../http/cursor.ts';
import { defineEndpoint } from '../http/endpoint.ts';
import { Problem } from '../http/problem.ts';
import { pageShape } from '../shapes/task.ts';
import { cursor, DEFAULT_PAGE, limit } from '../shapes/taskQuery.ts';
import { timeText } from '../views/taskAnswer.ts';

const SHOWN_OF_VALUE = 1_024;
const ANSWER_WITHIN_MS = 10_000;

const poisonShape = z
  .strictObject({
    topic: z.string(),
    partition: z.int(),
    offset: z.int(),
    appendedAt: z.iso.datetime(),
    reason: z.string().describe('Why it could not be decoded'),
    schemaId: z.int().nullable().describe('As its first five bytes say; null where they say none'),
    keyBase64: z.string().nullable(),
    valueBase64: z.string().nullable().describe(`Its first ${SHOWN_OF_VALUE} bytes`),
    size: z.int().describe('Bytes of the whole value'),
    parkedAt: z.iso.datetime(),
  })
  .meta({ id: 'PoisonRecord', description: 'A record that could not be decoded, and was passed over' });

function poisonAnswer(record: PoisonRecord): z.input<typeof poisonShape> {
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    appendedAt: timeText(record.appendedAt),
    reason: record.reason,
    schemaId: record.schemaId,
    keyBase64: record.key?.toString('base64') ?? null,
    valueBase64: record.value?.subarray(0, SHOWN_OF_VALUE).toString('base64') ?? null,
    size: record.size,
    parkedAt: timeText(record.occurredAt),
  };
}

const topic = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be the name of a topic')
  .optional()
  .describe(
    'Only records of this topic. A page of them may be short, and is the last one only where `nextCursor` is null',
  );

export default defineEndpoint({
  method: 'get',
  path: '/poison',
  id: 'listPoison',
  tag: 'Operations',
  summary: 'Records that could not be decoded, the newest first',
  description:
    'Where each of them lies and why it was passed over; kept for 7 days. For administrators: it may be of any user.',
  query: z.strictObject({ topic, limit, cursor }),
  answers: { 200: { description: 'A page', schema: pageShape(poisonShape) } },
  problems: ['invalid-cursor', 'forbidden', 'log-unavailable'],
  async handle({ principal, query: { topic, limit = DEFAULT_PAGE, cursor } }, { poison }) {
    if (principal.role !== 'admin') {
      throw new Problem('forbidden', 'What could not be decoded may be of any user: only an administrator sees it.');
    }
    const list = JSON.stringify(['poison', topic ?? null]);
    const before = cursor === undefined ? undefined : decodeOffsetCursor(cursor, list);
    const page = await within(ANSWER_WITHIN_MS, poison.page({ topic, before, limit })).catch(unavailable);
    if (page === undefined) return unavailable(undefined);
    const nextCursor = page.before === null ? null : encodeOffsetCursor(page.before, list);
    return { status: 200, json: { items: page.records.map(poisonAnswer), nextCursor } };
  },
});

function unavailable(cause: unknown): never {
  throw new Problem('log-unavailable', 'The event log cannot be read at present.', { retryAfter: 2, cause });
}
