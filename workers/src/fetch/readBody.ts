import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { TaskError } from '../taskError.ts';

/** More than this many encodings on top of each other is no page but an attack. */
const MAX_ENCODINGS = 3;

/** The `Content-Encoding` header as a list, in the order in which the encodings were applied. */
export function contentEncodings(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
}

/**
 * Reads a body to its end and decodes it, never holding more than `maxBytes` of it: bytes are counted as they leave the
 * decoders, so a bomb is noticed one piece after the limit. A truncated body gives what came, as in browsers.
 */
export async function readBody(
  source: Readable,
  options: { encodings: readonly string[]; maxBytes: number; signal?: AbortSignal },
): Promise<Buffer> {
  const { encodings, maxBytes, signal } = options;
  if (encodings.length > MAX_ENCODINGS) {
    source.destroy();
    throw new TaskError(
      'BODY_INVALID',
      `The body has ${encodings.length} content encodings, at most ${MAX_ENCODINGS} are undone`,
      { retryable: false },
    );
  }
  const pieces: Buffer[] = [];
  let size = 0;
  let received = 0;
  const stages: (Readable | Transform)[] = [];
  for (const encoding of encodings.toReversed()) stages.push(await decoder(encoding, source));
  await pipeline(
    [
      source,
      // Encodings can also grow: empty blocks without end decode to nothing.
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          received += chunk.length;
          if (received > maxBytes + 65_536) throw tooLarge(maxBytes);
          yield chunk;
        }
      },
      ...stages,
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          size += chunk.length;
          if (size > maxBytes) throw tooLarge(maxBytes);
          pieces.push(chunk);
        }
      },
    ] as unknown as [Readable, Transform],
    { signal },
  );
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
}

export function tooLarge(maxBytes: number): TaskError {
  return new TaskError('BODY_TOO_LARGE', `The body is over the limit of ${maxBytes} bytes`, {
    retryable: false,
    details: { maxBytes },
  });
}

const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };

async function decoder(encoding: string, source: Readable): Promise<Transform> {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(LENIENT);
    case 'deflate':
      return (await startsLikeZlib(source)) ? createInflate(LENIENT) : createInflateRaw(LENIENT);
    case 'br':
      return createBrotliDecompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      });
    case 'zstd':
      // 8 MB, the window that RFC 9659 allows on the web; the library's own limit is 128 MB for each stream.
      return createZstdDecompress({
        params: { [constants.ZSTD_d_windowLogMax]: 23 },
        finishFlush: constants.ZSTD_e_flush,
      });
    default:
      source.destroy();
      throw new TaskError(
        'BODY_INVALID',
        `The content encoding ${JSON.stringify(encoding.slice(0, 40))} is not known`,
        { retryable: false },
      );
  }
}

/** Servers send `deflate` with and without its zlib header; the first byte tells which. */
async function startsLikeZlib(source: Readable): Promise<boolean> {
  for (;;) {
    const chunk: Buffer | null = source.read();
    if (chunk !== null) {
      source.unshift(chunk);
      return (chunk[0]! & 0x0f) === 8;
    }
    if (source.readableEnded || source.destroyed) return true;
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of ['readable', 'end', 'close', 'error']) source.off(event, done);
        resolve();
      };
      for (const event of ['readable', 'end', 'close', 'error']) source.once(event, done);
    });
  }
}
