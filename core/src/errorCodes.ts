/**
 * The error codes that any task may end with. A type may add its own, named in its folder.
 * `retryable` is what holds where nothing more is known: an HTTP_STATUS of 404 is not, though the code is.
 */
export const errorCodes = {
  TIMEOUT: { retryable: true, meaning: 'The attempt ran longer than timeoutMs' },
  EXPIRED: { retryable: false, meaning: 'No attempt had started when expiresAt came' },
  PAYLOAD_INVALID: { retryable: false, meaning: 'The worker refused the payload' },
  RESULT_INVALID: { retryable: false, meaning: "The handler returned what its type's result schema refuses" },
  RESULT_TOO_LARGE: { retryable: false, meaning: 'The result is over the size limit' },
  WORKER_LOST: { retryable: false, meaning: 'Runs of the task were lost, with their workers, time after time' },
  WORKER_STOPPED: { retryable: true, meaning: 'The worker was stopped before the run had ended' },
  HANDLER_ERROR: { retryable: true, meaning: 'The handler threw' },
  HTTP_STATUS: { retryable: true, meaning: 'The server answered with a status that was not expected' },
  TOO_MANY_REDIRECTS: { retryable: false, meaning: 'The server redirected more often than is followed' },
  BODY_TOO_LARGE: { retryable: false, meaning: 'The body is over the size limit' },
  ADDRESS_NOT_ALLOWED: { retryable: false, meaning: 'The URL leads to an address that tasks must not reach' },
  CONNECT_FAILED: { retryable: true, meaning: 'The server could not be reached' },
  UNSUPPORTED_MEDIA: { retryable: false, meaning: 'The content is of a kind that the type does not handle' },
  BLOB_NOT_FOUND: { retryable: false, meaning: 'The user has no such blob, or no more' },
  STORE_UNAVAILABLE: { retryable: true, meaning: 'The blob store did not answer in time' },
  IMAGE_TOO_LARGE: { retryable: false, meaning: 'The image has more pixels than are decoded' },
} as const satisfies Readonly<Record<string, { retryable: boolean; meaning: string }>>;

export type ErrorCode = keyof typeof errorCodes;

/** What an error code looks like, a published one or a type's own: upper snake case. */
export const errorCodePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Whether a further attempt could do better, where the code is all that is known. A type's own code: yes. */
export function isRetryable(code: string): boolean {
  return (errorCodes as Readonly<Record<string, { retryable: boolean }>>)[code]?.retryable ?? true;
}
