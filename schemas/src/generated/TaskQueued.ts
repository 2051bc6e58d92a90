// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { Task } from './Task.ts';
import type { TaskEventHead } from './TaskEventHead.ts';

/** An attempt was put into the queue. The only event in the queue topics: the share group hands each record to one worker. */
export interface TaskQueued extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskQueued';
  /** What to run. */
  readonly task: Task;
  /** How many of the generation's attempts have failed so far; counted against task.maxAttempts. */
  readonly failures: number;
  /** How many of the generation's attempts were queued because a run was lost; five at most. */
  readonly recoveries: number;
  /** The partition of the events topic in which all that happens to the task is recorded. Chosen at submission, carried on, never computed again. */
  readonly eventsPartition: number;
  /** Why it was queued: submit, schedule, admit, retry, release, recover or redrive. */
  readonly cause: string;
  /** Whether a worker must look at the events topic before it runs it: the record recovers a lost run, or may be a second copy. */
  readonly check: boolean;
  /** Who had it queued, where somebody did by hand (redrive); null for its owner's submission and for the system. */
  readonly actor: string | null;
  /** The words of whoever had it queued; null where none were given. */
  readonly reason: string | null;
}
