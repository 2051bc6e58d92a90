// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.

/** The first fields of every event of a task. */
export interface TaskEventHead {
  /** The task: a UUIDv7 unless derived from its cause (then UUIDv5). Its 36 characters are also the Kafka key. */
  readonly taskId: string;
  /** Counts the redrives of the task: 0 at first, one more each time an ended task is opened again. */
  readonly generation: number;
  /** Numbers the queued executions within the generation, from 1. A second delivery of one record is the same attempt. */
  readonly attempt: number;
  /** The process that runs the attempt: name, pid and a random suffix (worker-1.4711.k3x9). Empty where none is concerned. */
  readonly workerId: string;
  /** This event: a UUIDv7. A copy of an event (an append repeated after a lost answer) has the same id. */
  readonly eventId: string;
  /** The user who owns the task. */
  readonly userId: string;
  /** The task type, which names the topics. Never changes within a task. */
  readonly type: string;
  /** high, normal or low; it names the topics. Never changes within a task. */
  readonly priority: string;
  /** When it happened, by the clock of its writer. The record's append time is the broker's. */
  readonly occurredAt: number;
  /** The workflow run that the task is a step of; null where none. */
  readonly runId: string | null;
  /** The step within the workflow run; null where none. */
  readonly stepId: string | null;
}
