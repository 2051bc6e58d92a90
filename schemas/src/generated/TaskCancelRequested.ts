// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
/** Tells workers to drop or abort what they hold of a task up to a generation. Written to taskflow.control (key: the task id) once TaskCancelled is acknowledged; removed by a tombstone when the group has passed the task's record. */
export interface TaskCancelRequested {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskCancelRequested';
  /** The task. */
  readonly taskId: string;
  /** What is of this generation or older is to be dropped; a later one runs. */
  readonly generation: number;
  /** This record: a UUIDv7. */
  readonly eventId: string;
  /** The task's type, so that a worker that does not run it need not look further. */
  readonly type: string;
  /** The task's priority: with type, its queue topic. */
  readonly priority: string;
  /** When it happened, by the clock of its writer. */
  readonly occurredAt: number;
}
