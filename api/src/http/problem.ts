/**
 * What a refused request is told: RFC 9457 problem documents. Each kind of refusal has one entry here, with its status
 * and title; an endpoint names the kinds that it can answer, so the OpenAPI document lists them too.
 */
export const problemKinds = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'json-too-deep': { status: 400, title: 'The body is nested too deeply' },
  'unknown-type': { status: 400, title: 'There is no such task type' },
  'invalid-cursor': { status: 400, title: 'The cursor is not valid' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  forbidden: { status: 403, title: 'This is not allowed to you' },
  'not-found': { status: 404, title: 'There is nothing at this address' },
  'task-not-found': { status: 404, title: 'There is no such task' },
  'type-not-found': { status: 404, title: 'There is no such task type' },
  'bulk-not-found': { status: 404, title: 'There is no such bulk action' },
  'method-not-allowed': { status: 405, title: 'This address does not take this method' },
  'idempotency-conflict': { status: 409, title: 'The idempotency key was used with another body' },
  'task-not-cancellable': { status: 409, title: 'The task cannot be cancelled' },
  'task-not-retryable': { status: 409, title: 'The task cannot be run again' },
  'result-not-available': { status: 409, title: 'The task has no result' },
  'result-expired': { status: 410, title: 'The result was kept for a limited time, which has passed' },
  'preview-not-offered': { status: 409, title: 'No worker runs the type in a preview' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'range-not-satisfiable': { status: 416, title: 'The result has no such bytes' },
  'unsupported-media-type': { status: 415, title: 'The body is of a media type that is not taken here' },
  'preview-failed': { status: 422, title: 'The task failed' },
  'too-many-previews': { status: 429, title: 'Too many previews run' },
  internal: { status: 500, title: 'The server failed' },
  'not-implemented': { status: 501, title: 'This is not available yet' },
  'preview-worker-failed': { status: 502, title: 'The worker failed' },
  'preview-unavailable': { status: 503, title: 'No worker that runs previews can be reached' },
  'log-unavailable': { status: 503, title: 'The event log does not answer' },
  'partly-accepted': { status: 503, title: 'The event log took only a part of the batch' },
  'store-unavailable': { status: 503, title: 'A store that this answer needs does not answer' },
  'type-unusable': { status: 503, title: 'Tasks of this type cannot be accepted at present' },
  'view-behind': { status: 503, title: 'The view has not caught up with the event log' },
  overloaded: { status: 503, title: 'More is coming in than the event log takes' },
  'preview-timeout': { status: 504, title: 'The task had not ended in time' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemKind = keyof typeof problemKinds;

/** A fault in one field: where it is (`tasks[1].payload.url`), and what is wrong there. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  /** Seconds after which trying again makes sense: the `Retry-After` header. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the problem document. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Thrown anywhere below an endpoint; answered as `application/problem+json`. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;

  constructor(kind: ProblemKind, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = 'Problem';
    this.kind = kind;
    this.status = problemKinds[kind].status;
    this.errors = options.errors;
    this.extensions = options.extensions;
    this.headers =
      options.retryAfter === undefined
        ? (options.headers ?? {})
        : { ...options.headers, 'Retry-After': String(options.retryAfter) };
  }
}

/** The document that is sent for a problem. */
export function problemDocument(problem: Problem, requestId: string): Record<string, unknown> {
  return {
    type: `urn:taskflow:problem:${problem.kind}`,
    title: problemKinds[problem.kind].title,
    status: problem.status,
    detail: problem.message,
    requestId,
    ...(problem.errors === undefined ? undefined : { errors: problem.errors }),
    ...problem.extensions,
  };
}
