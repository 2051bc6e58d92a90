import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { isDeeperThan } from './jsonDepth.ts';
import { Problem } from './problem.ts';

/**
 * How much of a body that is too large is still read (and thrown away) before the answer, in multiples of the limit: a
 * client that is still sending sees a reset connection instead of an answer.
 */
const DRAIN_FACTOR = 8;

/** A body that takes longer to come in is given up, against those who send a byte a minute. */
const WHOLE_BODY_MS = 60_000;

/** The body of a request as JSON: media type, size, encoding and depth are checked before it is parsed. */
export async function readJsonBody(request: IncomingMessage, limits: { maxBytes: number; maxDepth: number }) {
  requireJson(request);
  const bytes = await readBytes(request, limits.maxBytes);
  if (bytes.length === 0) {
    throw new Problem('malformed-json', 'The body is empty; a JSON object was expected.');
  }
  if (!isUtf8(bytes)) throw new Problem('malformed-json', 'The body is not UTF-8, as JSON has to be.');
  if (isDeeperThan(bytes, limits.maxDepth)) {
    throw new Problem('json-too-deep', `The body nests more than ${limits.maxDepth} arrays and objects.`);
  }
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch (error) {
    throw new Problem('malformed-json', `The body is not JSON: ${(error as Error).message}.`, { cause: error });
  }
}

/** Whether a body comes with the request, as its head says (RFC 9112, 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function requireJson(request: IncomingMessage): void {
  const contentType = request.headers['content-type'];
  if (contentType !== 'application/json' && !isJson(contentType)) {
    const given = contentType === undefined ? 'none' : `"${contentType}"`;
    throw new Problem(
      'unsupported-media-type',
      `The Content-Type must be application/json in UTF-8; it was ${given}.`,
      {
        headers: { Accept: 'application/json' },
      },
    );
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem(
      'unsupported-media-type',
      `Content-Encoding "${encoding}" is not taken: send the body as it is.`,
      {
        headers: { 'Accept-Encoding': 'identity' },
      },
    );
  }
}

function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  return type === 'application/json' && parameters.every((part) => part === '' || /^charset="?utf-?8"?$/.test(part));
}

/** Reads a body of at most `maxBytes`; a larger one is a `body-too-large` problem, after its rest was thrown away. */
export function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const late = setTimeout(() => request.destroy(), WHOLE_BODY_MS);
    const fail = () => {
      request.removeAllListeners('data').removeAllListeners('end');
      request.resume();
      reject(
        new Problem('body-too-large', `The body has more than ${maxBytes} bytes, the most that is taken here.`, {
          extensions: { maxBytes },
          headers: { Connection: 'close' },
        }),
      );
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else if (size > maxBytes * DRAIN_FACTOR) fail();
      else chunks.length = 0;
    });
    request.on('end', () => {
      clearTimeout(late);
      if (size > maxBytes) fail();
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    });
    request.on('error', reject);
    request.on('close', () => {
      clearTimeout(late);
      if (!request.complete) reject(new Error('The client closed the connection before the body was complete.'));
    });
  });
}
