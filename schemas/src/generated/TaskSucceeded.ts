// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { TaskEventHead } from './TaskEventHead.ts';
import type { TaskResult } from './TaskResult.ts';

/** The attempt ended well, and the task with it. */
export interface TaskSucceeded extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskSucceeded';
  /** What it produced. */
  readonly result: TaskResult;
  /** How long the handler ran, in milliseconds, by the worker's monotonic clock. */
  readonly durationMs: number;
}
