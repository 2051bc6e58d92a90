import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

// A random part for the process and a counter: unique without a system call for each request.
const processPart = randomBytes(6).toString('base64url');
let counter = 0;

/** What a caller may hand in: it comes back in the answer and in log lines, so nothing but plain words. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** The caller's `X-Request-Id` where it is a plain word of at most 64 characters, else one of our own. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  if (typeof given === 'string' && ACCEPTABLE.test(given)) return given;
  counter++;
  return `${processPart}-${counter.toString(36)}`;
}
