import { TextDecoder } from '@exodus/bytes/encoding.js';

/** Response headers that are shown. An allow-list: cookies, tokens and the like of a response stay out of the log. */
const SHOWN = new Set([
  'age',
  'allow',
  'cache-control',
  'content-disposition',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'ratelimit',
  'ratelimit-limit',
  'ratelimit-policy',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'server',
  'vary',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-request-id',
]);
const MAX_HEADER_LENGTH = 500;

export function shownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => SHOWN.has(name))
      .map(([name, value]) => [name, value.slice(0, MAX_HEADER_LENGTH)]),
  );
}

export interface Answer {
  bodyType: 'json' | 'text' | 'base64' | 'empty';
  body: unknown;
}

/** Deeper than this is kept as text: stores of documents refuse it. */
const MAX_DEPTH = 32;

/** A body by its content type: JSON parsed, text decoded from its charset, anything else in base64. JSON that does not parse is text. */
export function readAnswer(bytes: Buffer, contentType: string | undefined): Answer {
  if (bytes.length === 0) return { bodyType: 'empty', body: null };
  const mediaType = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) {
    const text = decodeText(bytes, 'utf-8') ?? bytes.toString();
    try {
      const value: unknown = JSON.parse(text);
      return depthWithin(value, MAX_DEPTH) ? { bodyType: 'json', body: value } : { bodyType: 'text', body: text };
    } catch {
      return { bodyType: 'text', body: text };
    }
  }
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1];
  const textual =
    charset !== undefined ||
    mediaType.startsWith('text/') ||
    /[/+](xml|javascript|x-www-form-urlencoded|yaml)$/.test(mediaType);
  const text = textual ? decodeText(bytes, charset ?? 'utf-8') : mediaType === '' ? strictUtf8(bytes) : undefined;
  return text === undefined ? { bodyType: 'base64', body: bytes.toString('base64') } : { bodyType: 'text', body: text };
}

function decodeText(bytes: Buffer, label: string): string | undefined {
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return undefined; // a label that no one knows
  }
}

function strictUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function depthWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => depthWithin(inner, depth - 1));
}
