import { uuidv7 } from '@taskflow/core/ids';
import type {
  TaskFailed,
  TaskQueued,
  TaskResult,
  TaskRetryScheduled,
  TaskScheduled,
  TaskStarted,
  TaskSucceeded,
} from '@taskflow/schemas/events';
import { nullResult, someTask } from '@taskflow/schemas/testing/taskEvents';

type Made = { readonly userId: string; readonly type: string } & Partial<Omit<TaskQueued, 'task'>> & {
    readonly task?: Partial<TaskQueued['task']>;
  };

/** A submission as the log has it. */
export function queued({ task, ...head }: Made): TaskQueued {
  return {
    event: 'TaskQueued',
    taskId: uuidv7(),
    generation: 0,
    attempt: 1,
    workerId: '',
    eventId: uuidv7(),
    priority: 'normal',
    occurredAt: 1_760_000_000_000,
    runId: null,
    stepId: null,
    failures: 0,
    recoveries: 0,
    eventsPartition: 0,
    cause: 'submit',
    check: false,
    actor: null,
    reason: null,
    ...head,
    task: { ...someTask, payload: '{}', ...task },
  };
}

function headOf(task: TaskQueued, laterMs: number) {
  const { taskId, generation, attempt, userId, type, priority, runId, stepId } = task;
  const occurredAt = task.occurredAt + laterMs;
  return {
    taskId,
    generation,
    attempt,
    workerId: 'worker-1.4711.k3x9',
    eventId: uuidv7(),
    userId,
    type,
    priority,
    runId,
    stepId,
    occurredAt,
  };
}

export function started(task: TaskQueued): TaskStarted {
  return {
    ...headOf(task, 5),
    event: 'TaskStarted',
    delivery: 1,
    starts: 1,
    leaseMs: 30_000,
    queuePartition: 0,
    queueOffset: 0,
  };
}

export function succeeded(task: TaskQueued, result: Partial<TaskResult> = {}): TaskSucceeded {
  return {
    ...headOf(task, 20),
    event: 'TaskSucceeded',
    durationMs: 15,
    result: { ...nullResult, ...result },
  };
}

export function failed(task: TaskQueued, code = 'HANDLER_ERROR'): TaskFailed {
  return {
    ...headOf(task, 20),
    event: 'TaskFailed',
    error: { code, message: 'The handler threw', retryable: true, details: null },
    failures: 1,
  };
}

export function retryScheduled(task: TaskQueued, code = 'HANDLER_ERROR'): TaskRetryScheduled {
  const head = headOf(task, 20);
  return {
    ...head,
    event: 'TaskRetryScheduled',
    error: { code, message: 'The handler threw', retryable: true, details: null },
    retryAt: head.occurredAt + 60_000,
    failures: 1,
    recoveries: 0,
    task: task.task,
  };
}

export function scheduled(task: TaskQueued, runAt: number): TaskScheduled {
  return { ...headOf(task, 0), event: 'TaskScheduled', task: task.task, runAt };
}
