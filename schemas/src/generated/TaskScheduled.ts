// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { Task } from './Task.ts';
import type { TaskEventHead } from './TaskEventHead.ts';

/** The task was accepted for later. */
export interface TaskScheduled extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskScheduled';
  /** What to run when it is due. */
  readonly task: Task;
  /** When it is due; null: held until it is admitted. */
  readonly runAt: number | null;
}
