// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** A task type as the workers that run it define it. Written to taskflow.types (key: the type's name) by each worker at its start. */
export interface TaskTypeRegistered {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskTypeRegistered';
  /** The name: a lower-case letter, then lower-case letters, digits and underscores, 64 at most. It names the topics. */
  readonly type: string;
  /** Of the definition; the greater one is shown where two are registered. */
  readonly version: number;
  /** What runs it: typescript or go. */
  readonly runtime: string;
  /** JSON Schema (2020-12) of the payload, as text. It says all that the worker would refuse. */
  readonly payloadSchema: string;
  /** JSON Schema (2020-12) of the result, as text. */
  readonly resultSchema: string;
  /** Where its results go: inline (small and not queried) or mongo. */
  readonly resultStorage: string;
  /** What becomes of a run whose worker may be gone: at-once (a second run does no harm) or after-lease. */
  readonly takeover: string;
  /** Default of the option, as in Task. */
  readonly maxAttempts: number;
  /** Default of the option, as in Task. */
  readonly backoffBaseMs: number;
  /** Default of the option, as in Task. */
  readonly backoffFactor: number;
  /** Default of the option, as in Task. */
  readonly backoffCapMs: number;
  /** Default of the option, as in Task. */
  readonly notRetryable: readonly string[];
  /** Default of the option, as in Task. */
  readonly timeoutMs: number;
  /** Default of the option. */
  readonly priority: string;
  /** The process that registered it. */
  readonly workerId: string;
  /** This record: a UUIDv7. */
  readonly eventId: string;
  /** When it happened, by the clock of its writer. */
  readonly occurredAt: number;
}
