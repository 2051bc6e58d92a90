// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** Workers stop fetching the type; what runs ends. Written to taskflow.control (key: the type's name, which TypeResumed shares, so that the last of the two remains). */
export interface TypePaused {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TypePaused';
  /** The task type. */
  readonly type: string;
  /** This record: a UUIDv7. */
  readonly eventId: string;
  /** The words of whoever paused it; null where none were given. */
  readonly reason: string | null;
  /** The user who paused it; null for the system. */
  readonly actor: string | null;
  /** When it happened, by the clock of its writer. */
  readonly occurredAt: number;
}
