// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { Task } from './Task.ts';
import type { TaskEventHead } from './TaskEventHead.ts';

/** The run is alive. With task: from here on the log holds its lease, and the queue record is accepted. */
export interface TaskHeartbeat extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskHeartbeat';
  /** How much is done, 0 to 1; null where the handler has not said. */
  readonly progress: number | null;
  /** What the handler says it is doing; null where it has not said. */
  readonly note: string | null;
  /** Set where the event hands the lease over to the log (and then needed to queue the next attempt); null otherwise. */
  readonly task: Task | null;
  /** How many of the generation's attempts have failed so far; counted against task.maxAttempts. */
  readonly failures: number;
  /** How many of the generation's attempts were queued because a run was lost; five at most. */
  readonly recoveries: number;
  /** How long the run is presumed alive after this event, in milliseconds. */
  readonly leaseMs: number;
}
