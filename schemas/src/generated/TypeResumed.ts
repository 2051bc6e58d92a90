// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** Workers fetch the type again. Written to taskflow.control (key: the type's name). */
export interface TypeResumed {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TypeResumed';
  /** The task type. */
  readonly type: string;
  /** This record: a UUIDv7. */
  readonly eventId: string;
  /** The words of whoever resumed it; null where none were given. */
  readonly reason: string | null;
  /** The user who resumed it; null for the system. */
  readonly actor: string | null;
  /** When it happened, by the clock of its writer. */
  readonly occurredAt: number;
}
