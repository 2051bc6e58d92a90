import { TaskError } from '../taskError.ts';

const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: 'sent no response head in time',
  UND_ERR_BODY_TIMEOUT: 'stopped sending its body',
};

/** The code of an error, or of the first of its causes that has one. */
export function causeCode(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    if (at instanceof AggregateError && at.errors.length > 0) return causeCode(at.errors[0]);
  }
  return error instanceof Error ? error.name : 'UNKNOWN';
}

/** Any failure of a request as the error that its task fails with. `origin` is all that it says of the URL. */
export function fetchError(error: unknown, origin: string): TaskError {
  if (error instanceof TaskError) return error;
  const code = causeCode(error);
  const timeout = TIMEOUTS[code];
  if (timeout !== undefined) return new TaskError('TIMEOUT', `${origin} ${timeout}`, { details: { cause: code } });
  if (/^(Z_|ERR_BROTLI|ERR__ERROR|ERR_ZSTD|ZSTD_)/.test(code)) {
    return new TaskError('BODY_INVALID', `${origin} sent a body that its content encoding does not fit`, {
      retryable: false,
      details: { cause: code },
      cause: error,
    });
  }
  return new TaskError('CONNECT_FAILED', `The exchange with ${origin} failed: ${code}`, {
    details: { cause: code },
    cause: error,
  });
}

export function addressNotAllowed(message: string): TaskError {
  return new TaskError('ADDRESS_NOT_ALLOWED', message, { retryable: false });
}
