import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.ts';
import { timeText } from '../views/taskAnswer.ts';

const storedBlob = z
  .strictObject({
    ref: z.string().describe('Names it in payloads: `{"blob": "…"}`'),
    size: z.int().min(1),
    contentType: z.string(),
    sha256: z.string().describe('Of the bytes, in hexadecimal'),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Blob', description: 'Stored bytes' });

export default defineEndpoint({
  method: 'post',
  path: '/blobs',
  id: 'storeBlob',
  tag: 'Tasks',
  summary: 'Store bytes for a task to work on',
  description:
    'The body is the bytes themselves, of any `Content-Type`. Only tasks of the same user can read them, by the `ref` ' +
    'in their payload. They are kept for a limited time.',
  rawBody: { maxBytes: (limits) => limits.maxBlobBytes },
  answers: { 201: { description: 'The bytes are stored', schema: storedBlob } },
  problems: ['store-unavailable'],
  async handle({ principal, raw }, { uploads }) {
    const { ref, size, contentType, sha256, expiresAt } = await uploads.store(principal.userId, raw());
    return { status: 201, json: { ref, size, contentType, sha256, expiresAt: timeText(expiresAt) } };
  },
});
