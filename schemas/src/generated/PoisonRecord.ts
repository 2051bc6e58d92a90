// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** A record that could not be decoded, parked so that its partition goes on. Written to taskflow.poison by the projector alone (key: topic/partition/offset, 7 days). */
export interface PoisonRecord {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'PoisonRecord';
  /** Where it lies. */
  readonly topic: string;
  /** Where it lies. */
  readonly partition: number;
  /** Where it lies. */
  readonly offset: number;
  /** The record's append time. */
  readonly appendedAt: number;
  /** Why it could not be decoded. */
  readonly reason: string;
  /** The schema id in its first five bytes; null where they are none. */
  readonly schemaId: number | null;
  /** The record's key, its first 1,024 bytes; null where it has none. */
  readonly key: Buffer | null;
  /** The record's value, its first 65,536 bytes; null where it has none. */
  readonly value: Buffer | null;
  /** Bytes of the whole value. */
  readonly size: number;
  /** When it happened, by the clock of its writer. */
  readonly occurredAt: number;
}
