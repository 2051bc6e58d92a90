import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/** A body that is not JSON: whoever takes it reads it while it comes in. */
export interface RawBody {
  /** As the client states it; `application/octet-stream` where it does not. */
  readonly contentType: string;
  /** Undefined where the client does not say it. */
  readonly length: number | undefined;
  /** Throws a {@link Problem} where the body is empty, breaks off, or its sender falls silent. The silence counts from when the reading begins. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** A sender that falls silent for so long is given up. */
const SILENCE_MS = 60_000;

/** How long, and how much of, a body that is refused is read on. */
const DRAIN_MS = 2_000;
const DRAIN_BYTES = 64 * 1024 * 1024;

// RFC 9110: type/subtype, and parameters as tokens or quoted strings.
const MEDIA_TYPE =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}\/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}(\s*;\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+=([!#$%&'*+.^_`|~0-9A-Za-z-]+|"[^"\\\r\n]*"))*$/;
const MEDIA_TYPE_CHARACTERS = 200;

/** The body of a request as it comes in. Refuses at once what is empty or too long by its head; what is only found while reading is the reader's to refuse. */
export function rawBody(request: IncomingMessage, maxBytes: number): RawBody {
  const { 'content-length': length, 'transfer-encoding': chunked, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem(
      'unsupported-media-type',
      `Content-Encoding "${encoding}" is not taken: send the bytes as they are.`,
      { headers: { 'Accept-Encoding': 'identity' } },
    );
  }
  const contentType = request.headers['content-type'] ?? 'application/octet-stream';
  if (contentType.length > MEDIA_TYPE_CHARACTERS || !MEDIA_TYPE.test(contentType)) {
    const message = `must be a media type of at most ${MEDIA_TYPE_CHARACTERS} characters`;
    throw new Problem('invalid-request', 'A header is not valid.', { errors: [{ path: 'content-type', message }] });
  }
  const stated = chunked === undefined ? Number(length ?? 0) : undefined;
  if (stated === 0) throw emptyBody();
  if (stated !== undefined && stated > maxBytes) throw bodyTooLarge(maxBytes);
  return { contentType, length: stated, bytes: piecesOf(request) };
}

function emptyBody(): Problem {
  return new Problem('invalid-request', 'The body is empty; the bytes to store were expected.');
}

export function bodyTooLarge(maxBytes: number): Problem {
  const detail = `The body has more than ${maxBytes} bytes, the most that is taken here.`;
  return new Problem('body-too-large', detail, { extensions: { maxBytes } });
}

async function* piecesOf(request: IncomingMessage): AsyncGenerator<Uint8Array, void> {
  let silent = false;
  request.setTimeout(SILENCE_MS, () => {
    silent = true;
    request.destroy();
  });
  let isEmpty = true;
  try {
    // Left open when the reader stops: there is an answer to send yet.
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      isEmpty = false;
      yield piece;
    }
    // A request that was cut before anyone read it ends like a whole one.
    if (!request.complete) throw new Error('The request is not complete');
  } catch (error) {
    const why = silent ? 'The client fell silent' : 'The client closed the connection';
    throw new Problem('invalid-request', `${why} before the body was complete.`, { cause: error });
  } finally {
    request.setTimeout(0);
  }
  if (isEmpty) throw emptyBody();
}

/** Reads on and throws away, for a while: a client that is still sending would see a reset connection instead of its answer. */
export function drain(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let left = DRAIN_BYTES;
    const late = setTimeout(resolve, DRAIN_MS);
    const end = () => {
      clearTimeout(late);
      resolve();
    };
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) end();
    });
    request.on('end', end).on('close', end).on('error', end);
    if (request.complete || request.destroyed) end();
    else request.resume();
  });
}
