// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { TaskError } from './TaskError.ts';
import type { TaskEventHead } from './TaskEventHead.ts';

/** The task ended without success. */
export interface TaskFailed extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskFailed';
  /** Why the last attempt failed, or the task could not go on. */
  readonly error: TaskError;
  /** How many attempts of the generation have failed, this one included. */
  readonly failures: number;
}
