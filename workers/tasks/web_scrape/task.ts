import { defineTask } from '@taskflow/workers/defineTask';
import { httpUrl } from '@taskflow/workers/payloadParts';
import { TaskError } from '@taskflow/workers/taskError';
import { z } from 'zod';
import { charsetOf, decodePage } from './decodePage.ts';
import { looksLikeHtml, mediaTypeOf } from './mediaType.ts';
import { readPage } from './readPage.ts';

const MAX_PAGE_BYTES = 5 * 1024 * 1024;

/** Fetches a page and records what it is: title, language, headings and the like. */
export default defineTask({
  type: 'web_scrape',
  version: 1,
  payload: z.strictObject({ url: httpUrl }),
  result: z.strictObject({
    url: z.string(),
    finalUrl: z.string(),
    status: z.int(),
    contentType: z.string().nullable(),
    charset: z.string(),
    title: z.string().nullable(),
    language: z.string().nullable(),
    description: z.string().nullable(),
    canonical: z.string().nullable(),
    openGraph: z.record(z.string(), z.string()),
    headings: z.array(z.strictObject({ level: z.int().min(1).max(6), text: z.string() })),
    linkCount: z.int(),
    size: z.int().meta({ description: 'Bytes of the page after content encodings' }),
    redirects: z.int(),
    timings: z.strictObject({ dnsMs: z.number(), connectMs: z.number(), ttfbMs: z.number(), totalMs: z.number() }),
  }),
  defaults: { timeoutMs: 30_000 },
  errors: { PAGE_TOO_COMPLEX: 'The page would take too much memory or time to parse' },
  preview: (result) => result.title,
  async run({ payload, fetch, signal, log, progress }) {
    const response = await fetch(payload.url, {
      signal,
      headers: { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.1' },
      limits: { maxBodyBytes: MAX_PAGE_BYTES },
    });
    const contentType = response.headers['content-type'];
    const mediaType = mediaTypeOf(contentType);
    if (response.status >= 400) {
      response.discard();
      throw statusError(response.status);
    }
    if (mediaType !== undefined && !isHtml(mediaType)) {
      response.discard();
      throw unsupported(mediaType);
    }
    log.info('The page answers', {
      status: response.status,
      contentType: mediaType ?? null,
      redirects: response.redirects,
    });
    progress(0.3, 'reading');
    const bytes = await response.body();
    const timings = response.timings();
    const { text, charset } = decodePage(bytes, charsetOf(contentType));
    if (mediaType === undefined && !looksLikeHtml(text)) throw unsupported('content without a type');
    progress(0.8, 'parsing');
    const facts = readPage(text, response.url);
    log.info('The page is read', {
      bytes: bytes.length,
      charset,
      headings: facts.headings.length,
      links: facts.linkCount,
    });
    return {
      url: withoutUserInfo(payload.url),
      finalUrl: response.url.slice(0, 8_000),
      status: response.status,
      contentType: contentType?.slice(0, 255) ?? null,
      charset,
      ...facts,
      size: bytes.length,
      redirects: response.redirects,
      timings,
    };
  },
});

const isHtml = (mediaType: string) => mediaType === 'text/html' || mediaType === 'application/xhtml+xml';

function unsupported(what: string): TaskError {
  return new TaskError('UNSUPPORTED_MEDIA', `The URL gives ${what.slice(0, 100)}, not a page`, { retryable: false });
}

function statusError(status: number): TaskError {
  const retryable = status === 408 || status === 425 || status === 429 || status >= 500;
  return new TaskError('HTTP_STATUS', `The server answered ${status}`, { retryable, details: { status } });
}

function withoutUserInfo(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}
