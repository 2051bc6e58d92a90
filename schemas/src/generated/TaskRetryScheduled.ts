// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { Task } from './Task.ts';
import type { TaskError } from './TaskError.ts';
import type { TaskEventHead } from './TaskEventHead.ts';

/** The attempt ended without success, and a further one is due. */
export interface TaskRetryScheduled extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskRetryScheduled';
  /** Why the attempt ended. */
  readonly error: TaskError;
  /** When the next attempt is due. The delay counts from this event's append time. */
  readonly retryAt: number;
  /** How many of the generation's attempts have failed so far; counted against task.maxAttempts. */
  readonly failures: number;
  /** How many of the generation's attempts were queued because a run was lost; five at most. */
  readonly recoveries: number;
  /** What to run then. */
  readonly task: Task;
}
