import type { TaskHeartbeat, TaskQueued } from '@taskflow/schemas/events';

export interface HeartbeatContext {
  readonly now: number;
  readonly eventId: string;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly progress: number;
  readonly note: string | null;
}

/** What a handler reports of its progress. It hands nothing over: the broker's lock still holds the run. */
export function progressHeartbeat(queued: TaskQueued, context: HeartbeatContext): TaskHeartbeat {
  return {
    event: 'TaskHeartbeat',
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
    progress: context.progress,
    note: context.note,
    task: null,
    failures: queued.failures,
    recoveries: queued.recoveries,
    leaseMs: context.leaseMs,
  };
}
