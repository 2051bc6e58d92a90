// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** What is to be done and how: travels with every event that asks for something later, so that its reader depends on nothing but the log. */
export interface Task {
  /** The input, JSON text that the type's payload schema has accepted. */
  readonly payload: string;
  /** How many attempts may fail before the task does. */
  readonly maxAttempts: number;
  /** Upper bound of the delay before the second attempt, in milliseconds; the delay is drawn from 0 to the bound (full jitter). */
  readonly backoffBaseMs: number;
  /** What the bound is multiplied by after each further failure. */
  readonly backoffFactor: number;
  /** The bound never exceeds this, in milliseconds. */
  readonly backoffCapMs: number;
  /** Error codes after which no further attempt is made. */
  readonly notRetryable: readonly string[];
  /** How long an attempt may run, in milliseconds. */
  readonly timeoutMs: number;
  /** The generation's first start must come before this, judged by the broker's append times; null: no limit. A redrive clears it. */
  readonly expiresAt: number | null;
  /** Labels of the user, for filters. */
  readonly tags: readonly string[];
  /** The Idempotency-Key of the submission (of its batch, where it came in one); null where none. */
  readonly idempotencyKey: string | null;
  /** SHA-256 of the request body that came with the key, in hexadecimal; null without a key. */
  readonly bodyHash: string | null;
  /** The cron schedule that submitted the task; null where none. */
  readonly scheduleId: string | null;
}
