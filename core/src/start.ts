import type { TaskQueued, TaskStarted } from '@taskflow/schemas/events';
import type { EventStamp } from './eventHead.ts';

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

/**
 * The event that says that a worker runs the handler. Member by member, where others spread a head: it is made for every task,
 * and a spread costs ten times as much.
 */
export function decideStart(queued: TaskQueued, context: StartContext): TaskStarted {
  return {
    event: 'TaskStarted',
    taskId: queued.taskId,
    generation: queued.generation,
    attempt: queued.attempt,
    workerId: context.workerId,
    eventId: context.eventId,
    userId: queued.userId,
    type: queued.type,
    priority: queued.priority,
    occurredAt: context.now,
    runId: queued.runId,
    stepId: queued.stepId,
    delivery: context.delivery,
    starts: context.starts,
    leaseMs: context.leaseMs,
    queuePartition: context.queuePartition,
    queueOffset: context.queueOffset,
  };
}
