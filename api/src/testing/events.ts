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
import { nullResult, someTask, taskEvent } from '@taskflow/schemas/testing/taskEvents';

type Made = { readonly userId: string; readonly type: string } & Partial<Omit<TaskQueued, 'task'>> & {
    readonly task?: Partial<TaskQueued['task']>;
  };

/** A submission as the log has it. */
export function queued({ task, ...head }: Made): TaskQueued {
  return taskEvent('TaskQueued', {
    taskId: uuidv7(),
    eventId: uuidv7(),
    occurredAt: 1_760_000_000_000,
    eventsPartition: 0,
    ...head,
    task: { ...someTask, payload: '{}', ...task },
  });
}

/** What a worker's event says of a task, some time after it was submitted. */
function headOf(task: TaskQueued, laterMs: number) {
  const { taskId, generation, attempt, userId, type, priority, runId, stepId } = task;
  const occurredAt = task.occurredAt + laterMs;
  const worker = { workerId: 'worker-1.4711.k3x9', eventId: uuidv7() };
  return { taskId, generation, attempt, userId, type, priority, runId, stepId, occurredAt, ...worker };
}

export function scheduled(task: TaskQueued, runAt: number): TaskScheduled {
  return taskEvent('TaskScheduled', { ...headOf(task, 0), workerId: '', task: task.task, runAt });
}

export function started(task: TaskQueued): TaskStarted {
  return taskEvent('TaskStarted', headOf(task, 5));
}

export function succeeded(task: TaskQueued, result: Partial<TaskResult> = {}): TaskSucceeded {
  return taskEvent('TaskSucceeded', { ...headOf(task, 20), durationMs: 15, result: { ...nullResult, ...result } });
}

const errorOf = (code: string) => ({ code, message: 'The handler threw', retryable: true, details: null });

export function retryScheduled(task: TaskQueued, code = 'HANDLER_ERROR'): TaskRetryScheduled {
  const head = headOf(task, 20);
  const retryAt = head.occurredAt + 60_000;
  return taskEvent('TaskRetryScheduled', { ...head, error: errorOf(code), retryAt, failures: 1, task: task.task });
}

export function failed(task: TaskQueued, code = 'HANDLER_ERROR'): TaskFailed {
  return taskEvent('TaskFailed', { ...headOf(task, 20), error: errorOf(code), failures: 1 });
}
