// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** A line that task code has logged. Written to taskflow.logs (key: the task id, 7 days). Task, generation, attempt, worker and seq name it once. */
export interface TaskLogLine {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskLogLine';
  /** The task. */
  readonly taskId: string;
  /** Of the run that logged it. */
  readonly generation: number;
  /** Of the run that logged it. */
  readonly attempt: number;
  /** The process that logged it. */
  readonly workerId: string;
  /** The user who owns the task. */
  readonly userId: string;
  /** The task type. */
  readonly type: string;
  /** Numbers the lines of a run, from 0. */
  readonly seq: number;
  /** When it happened, by the clock of its writer. */
  readonly occurredAt: number;
  /** debug, info, warn or error. */
  readonly level: string;
  /** The line. */
  readonly message: string;
  /** What was logged beside the message, a JSON object as text; null where nothing was. */
  readonly fields: string | null;
}
