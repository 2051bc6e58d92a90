import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '@taskflow/service/logger';
import type { Answer } from './endpoint.ts';
import { type Problem, problemDocument } from './problem.ts';
import { securityHeaders } from './securityHeaders.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Writes an answer in one piece, with the headers that every answer has. */
export function sendAnswer(response: ServerResponse, answer: Answer, requestId: string): void {
  if (answer.text !== undefined) {
    write(response, answer.status, answer.text.contentType, answer.text.content, answer.headers, requestId);
  } else {
    write(response, answer.status, JSON_TYPE, JSON.stringify(answer.json), answer.headers, requestId);
  }
}

/**
 * Sends bytes while they come. Where they break off the connection is closed before `Content-Length` is reached, by which
 * the client knows.
 */
export async function sendStream(
  response: ServerResponse,
  { status, headers }: Answer,
  { contentType, length, readable }: NonNullable<Answer['stream']>,
  { requestId, logger }: { readonly requestId: string; readonly logger: Logger },
): Promise<void> {
  if (response.headersSent || response.destroyed || response.req.method === 'HEAD') readable.destroy();
  if (!startAnswer(response, status, { contentType, length }, headers, requestId)) return;
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    await pipeline(readable, response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return; // the client has gone
    logger.warn('An answer broke off', { requestId, error });
  }
}

export function sendProblem(response: ServerResponse, problem: Problem, requestId: string): void {
  const document = JSON.stringify(problemDocument(problem, requestId));
  write(response, problem.status, PROBLEM_TYPE, document, problem.headers, requestId);
}

function write(
  response: ServerResponse,
  status: number,
  contentType: string,
  content: string,
  headers: Readonly<Record<string, string>> | undefined,
  requestId: string,
): void {
  if (startAnswer(response, status, { contentType, length: Buffer.byteLength(content) }, headers, requestId)) {
    response.end(response.req.method === 'HEAD' ? undefined : content);
  }
}

/** Writes the head of an answer; false where that cannot be any more. */
function startAnswer(
  response: ServerResponse,
  status: number,
  { contentType, length }: { readonly contentType: string; readonly length: number },
  headers: Readonly<Record<string, string>> | undefined,
  requestId: string,
): boolean {
  if (response.headersSent || response.destroyed) return false;
  const lines = ['Content-Type', contentType, 'Content-Length', String(length), 'X-Request-Id', requestId];
  const own = headers === undefined ? undefined : new Set(Object.keys(headers));
  for (let i = 0; i < securityHeaders.length; i += 2) {
    const name = securityHeaders[i] as string;
    if (own?.has(name) !== true) lines.push(name, securityHeaders[i + 1] as string);
  }
  if (headers !== undefined) for (const name in headers) lines.push(name, headers[name] as string);
  response.writeHead(status, lines);
  return true;
}
