import { uuidv7 } from '@taskflow/core/ids';
import type {
  Task,
  TaskCancelled,
  TaskHeartbeat,
  TaskQueued,
  TaskRetryScheduled,
  TaskScheduled,
  TaskStarted,
  TaskSucceeded,
} from '@taskflow/schemas/events';
import { someTask, taskEvent } from '@taskflow/schemas/testing/taskEvents';

export const userId = '00000000-0000-4000-8000-000000000001';

export const task: Task = {
  ...someTask,
  payload: '{"text":"é \\u0000"}',
  notRetryable: ['HTTP_STATUS'],
  tags: ['a'],
};

/** The events of one task of a type, as workers and the api write them. */
export function eventsOf(type: string, taskId: string = uuidv7(), eventsPartition = 0) {
  const head = (attempt: number, generation = 0) => {
    const identity = { taskId, userId, type, priority: 'normal', runId: null, stepId: 'step-1' };
    return { ...identity, generation, attempt, workerId: '', eventId: uuidv7(), occurredAt: Date.now() };
  };
  return {
    taskId,
    queued(attempt = 1, changes: Partial<TaskQueued> = {}): TaskQueued {
      const cause = attempt === 1 ? 'submit' : 'retry';
      const own = { task, failures: attempt - 1, eventsPartition, cause };
      return taskEvent('TaskQueued', { ...head(attempt), ...own, ...changes });
    },
    scheduled(runAt: number | null): TaskScheduled {
      return taskEvent('TaskScheduled', { ...head(1), task, runAt });
    },
    started(attempt = 1, generation = 0): TaskStarted {
      return taskEvent('TaskStarted', { ...head(attempt, generation), queueOffset: 0 });
    },
    /** A heartbeat; with `task` it hands the lease over. */
    heartbeat(attempt = 1, changes: Partial<TaskHeartbeat> = {}): TaskHeartbeat {
      return taskEvent('TaskHeartbeat', { ...head(attempt), ...changes });
    },
    retry(attempt: number, delayMs: number, changes: Partial<TaskRetryScheduled> = {}): TaskRetryScheduled {
      const own = head(attempt);
      const retryAt = own.occurredAt + delayMs;
      return taskEvent('TaskRetryScheduled', { ...own, retryAt, failures: attempt, task, ...changes });
    },
    succeeded(attempt = 1, generation = 0): TaskSucceeded {
      return taskEvent('TaskSucceeded', head(attempt, generation));
    },
    cancelled(attempt = 1): TaskCancelled {
      return taskEvent('TaskCancelled', { ...head(attempt), reason: 'no longer needed' });
    },
  };
}
