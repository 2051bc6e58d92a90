import type { TaskQueued, TaskStarted } from '@taskflow/schemas/events';
import { type EventStamp, eventHead } from './eventHead.ts';

export interface StartContext extends EventStamp {
  /** How often the share group has handed out the record. */
  readonly delivery: number;
  /** How often the attempt has been started, this start included. */
  readonly starts: number;
  readonly leaseMs: number;
  /** Where the TaskQueued record lies in its queue topic. */
  readonly queuePartition: number;
  readonly queueOffset: number;
}

/** The event that a worker has acknowledged before it runs the handler. */
export function decideStart(queued: TaskQueued, context: StartContext): TaskStarted {
  return {
    event: 'TaskStarted',
    ...eventHead(queued, context),
    delivery: context.delivery,
    starts: context.starts,
    leaseMs: context.leaseMs,
    queuePartition: context.queuePartition,
    queueOffset: context.queueOffset,
  };
}
