import { defineTask } from '@taskflow/workers/defineTask';
import { httpUrl } from '@taskflow/workers/payloadParts';
import { TaskError } from '@taskflow/workers/taskError';
import { z } from 'zod';
import { readAnswer, shownHeaders } from './answer.ts';

/** Headers that belong to the connection and not to the caller. Spelled out for both cases: JSON Schema patterns have no flags. */
const OWN_HEADERS = [
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const anyCase = (name: string) => name.replace(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
const headerName = z
  .string()
  .max(128)
  .regex(new RegExp(`^(?!(?:${OWN_HEADERS.map(anyCase).join('|')})$)[!#$%&'*+.^_\`|~0-9A-Za-z-]+$`));
const headerValue = z
  .string()
  .max(4096)
  .regex(/^[\t\x20-\x7e\u0080-\u00ff]*$/);
const status = z.int().min(100).max(599);

/** Most bytes of a response body. What is too large for an event goes to the blob store. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** Calls an HTTP API and records what it answered. */
export default defineTask({
  type: 'http_request',
  version: 1,
  payload: z
    .strictObject({
      url: httpUrl,
      method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
      headers: z.record(headerName, headerValue).default({}).meta({ maxProperties: 50 }),
      json: z.unknown().optional().meta({ description: 'Sent as JSON. Not together with text' }),
      text: z.string().optional().meta({ description: 'Sent as it is, text/plain unless a header says otherwise' }),
      expectStatus: z
        .union([status, z.array(status).min(1).max(20)])
        .optional()
        .meta({ description: 'What counts as success; any 2xx if absent' }),
    })
    .refine((payload) => payload.json === undefined || payload.text === undefined, 'json and text exclude each other')
    .refine((payload) => Object.keys(payload.headers).length <= 50, {
      message: 'at most 50 headers',
      path: ['headers'],
    })
    .meta({ not: { required: ['json', 'text'] } }),
  result: z.strictObject({
    url: z.string(),
    status,
    headers: z.record(z.string(), z.string()),
    contentType: z.string().nullable(),
    bodyType: z.enum(['json', 'text', 'base64', 'empty']),
    body: z.unknown(),
    size: z.int(),
    redirects: z.int(),
    timings: z.strictObject({ dnsMs: z.number(), connectMs: z.number(), ttfbMs: z.number(), totalMs: z.number() }),
  }),
  defaults: { timeoutMs: 30_000 },
  preview: (result) => `${result.status} ${result.contentType ?? ''}`.trim(),
  async run({ payload, fetch, signal, idempotencyKey, log }) {
    const { url, method, expectStatus } = payload;
    const expected = expectStatus === undefined || Array.isArray(expectStatus) ? expectStatus : [expectStatus];
    const body = payload.json === undefined ? payload.text : JSON.stringify(payload.json);
    const response = await fetch(url, {
      method,
      signal,
      headers: {
        ...(body === undefined
          ? {}
          : { 'content-type': payload.json === undefined ? 'text/plain; charset=utf-8' : 'application/json' }),
        ...(method === 'POST' || method === 'PATCH' ? { 'idempotency-key': idempotencyKey } : {}),
        ...lowerCaseNames(payload.headers),
      },
      ...(body === undefined ? {} : { body }),
      ...(expected === undefined ? {} : { finalStatuses: expected }),
      limits: { maxBodyBytes: MAX_BODY_BYTES },
    });
    log.info(`${method} ${new URL(response.url).origin} answered ${response.status}`, {
      redirects: response.redirects,
    });
    if (expected ? !expected.includes(response.status) : response.status < 200 || response.status > 299) {
      response.discard();
      throw httpStatusError(response.status, expected);
    }
    const bytes = await response.body();
    return {
      url: response.url,
      status: response.status,
      headers: shownHeaders(response.headers),
      contentType: response.headers['content-type']?.slice(0, 255) ?? null,
      ...readAnswer(bytes, response.headers['content-type']),
      size: bytes.length,
      redirects: response.redirects,
      timings: response.timings(),
    };
  },
});

const lowerCaseNames = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function httpStatusError(status: number, expected: readonly number[] | undefined): TaskError {
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  return new TaskError('HTTP_STATUS', `The server answered ${status}, expected was ${expected?.join(', ') ?? '2xx'}`, {
    retryable,
    details: { status },
  });
}
