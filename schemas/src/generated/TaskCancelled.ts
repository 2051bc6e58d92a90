// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { TaskEventHead } from './TaskEventHead.ts';

/** The task was ended by request. */
export interface TaskCancelled extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskCancelled';
  /** The words of whoever cancelled; null where none were given. */
  readonly reason: string | null;
  /** The user who cancelled; null for the system. */
  readonly actor: string | null;
}
