// Generated from schemas/avro by `make generate`. Change the .avsc file, not this one.
import type { TaskEventHead } from './TaskEventHead.ts';

/** A worker is about to run the attempt. Acknowledged before the handler runs. */
export interface TaskStarted extends TaskEventHead {
  /** Tells the records apart. Set by the decoder; not a field of the Avro record. */
  readonly event: 'TaskStarted';
  /** How often the share group has handed out the record, this time included. */
  readonly delivery: number;
  /** How often the attempt has been started, this time included. */
  readonly starts: number;
  /** How long the run is presumed alive after a heartbeat once it holds a lease, in milliseconds. */
  readonly leaseMs: number;
  /** Partition of the TaskQueued record in its queue topic. */
  readonly queuePartition: number;
  /** Offset of the TaskQueued record. */
  readonly queueOffset: number;
}
