// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** Why an attempt failed. */
export interface TaskError {
  /** One of the published codes (TIMEOUT, HTTP_STATUS, …), or the type's own. */
  readonly code: string;
  /** What happened, to what, in words for the owner of the task. */
  readonly message: string;
  /** Whether a further attempt could do better. The policy in the task decides whether there is one. */
  readonly retryable: boolean;
  /** More about it, JSON text; null where there is none. */
  readonly details: string | null;
}
