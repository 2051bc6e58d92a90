// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** What a successful run produced, or where it lies. */
export interface TaskResult {
  /** Where the value lies: inline (in value, and kept in the task), mongo (in value, copied from here into the results view under ref) or s3 (only under ref). */
  readonly storage: string;
  /** The result, JSON text. Where storage is s3: what the type says of a file (sizes, dimensions, …), or null. */
  readonly value: string | null;
  /** Its name in the store: for mongo the document's _id, <taskId>.<generation>.<attempt>.<workerId>; null for inline. */
  readonly ref: string | null;
  /** A few words for lists; null where the type gives none. */
  readonly preview: string | null;
  /** Bytes of the result (of the JSON text, or of the blob). */
  readonly size: number;
  /** Media type of the result. */
  readonly contentType: string;
  /** SHA-256 of the same bytes, in hexadecimal. */
  readonly sha256: string;
  /** How long the result is kept after the task ended, in milliseconds; null: for ever. */
  readonly ttlMs: number | null;
}
