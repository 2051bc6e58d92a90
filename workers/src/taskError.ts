export interface TaskErrorOptions {
  /** May a later attempt succeed? Default true. Retry policies may name codes that are never retried whatever this says. */
  retryable?: boolean;
  /** JSON that helps to understand the failure. It is stored on the log for ever: no secrets, no personal data. */
  details?: unknown;
  cause?: unknown;
}

/**
 * What a handler throws to end its attempt with an error code of its own. Anything else that a handler throws
 * becomes `HANDLER_ERROR`, retryable. Codes are upper snake case and are listed in the folder of the type.
 */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code: string;
  readonly retryable: boolean;
  readonly details: unknown;

  constructor(code: string, message: string, options: TaskErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? true;
    this.details = options.details;
  }
}
