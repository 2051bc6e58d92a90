import type { ServerResponse } from 'node:http';
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
  if (response.headersSent || response.destroyed) return;
  const lines = [
    'Content-Type',
    contentType,
    'Content-Length',
    String(Buffer.byteLength(content)),
    'X-Request-Id',
    requestId,
  ];
  const own = headers === undefined ? undefined : new Set(Object.keys(headers));
  for (let i = 0; i < securityHeaders.length; i += 2) {
    const name = securityHeaders[i] as string;
    if (own?.has(name) !== true) lines.push(name, securityHeaders[i + 1] as string);
  }
  if (headers !== undefined) for (const name in headers) lines.push(name, headers[name] as string);
  response.writeHead(status, lines);
  response.end(response.req.method === 'HEAD' ? undefined : content);
}
