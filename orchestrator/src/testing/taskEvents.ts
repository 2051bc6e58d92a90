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

export const userId = '00000000-0000-4000-8000-000000000001';

export const task: Task = {
  payload: '{"text":"é \\u0000"}',
  maxAttempts: 3,
  backoffBaseMs: 1_000,
  backoffFactor: 2,
  backoffCapMs: 300_000,
  notRetryable: ['HTTP_STATUS'],
  timeoutMs: 30_000,
  expiresAt: null,
  tags: ['a'],
  idempotencyKey: null,
  bodyHash: null,
  scheduleId: null,
};

/** The events of one task of a type, as workers and the api write them. */
export function eventsOf(type: string, taskId: string = uuidv7(), eventsPartition = 0) {
  const head = (attempt: number, generation: number) => ({
    taskId,
    generation,
    attempt,
    workerId: '',
    eventId: uuidv7(),
    userId,
    type,
    priority: 'normal',
    occurredAt: Date.now(),
    runId: null,
    stepId: 'step-1',
  });
  return {
    taskId,
    queued(attempt = 1, changes: Partial<TaskQueued> = {}): TaskQueued {
      const cause = attempt === 1 ? 'submit' : 'retry';
      const counts = {
        failures: attempt - 1,
        recoveries: 0,
        eventsPartition,
        cause,
        check: false,
        actor: null,
        reason: null,
      };
      return { event: 'TaskQueued', ...head(attempt, 0), task, ...counts, ...changes };
    },
    scheduled(runAt: number | null): TaskScheduled {
      return { event: 'TaskScheduled', ...head(1, 0), task, runAt };
    },
    started(attempt = 1, generation = 0): TaskStarted {
      const record = { delivery: 1, starts: 1, leaseMs: 30_000, queuePartition: 0, queueOffset: 0 };
      return { event: 'TaskStarted', ...head(attempt, generation), ...record };
    },
    /** A heartbeat; with `leaseMs` it hands the lease over. */
    heartbeat(attempt = 1, changes: Partial<TaskHeartbeat> = {}): TaskHeartbeat {
      const counts = { failures: 0, recoveries: 0, leaseMs: 30_000 };
      return {
        event: 'TaskHeartbeat',
        ...head(attempt, 0),
        progress: null,
        note: null,
        task: null,
        ...counts,
        ...changes,
      };
    },
    retry(attempt: number, delayMs: number, changes: Partial<TaskRetryScheduled> = {}): TaskRetryScheduled {
      const error = { code: 'HTTP_STATUS', message: 'It answered 503', retryable: true, details: null };
      const own = head(attempt, 0);
      const counts = { failures: attempt, recoveries: 0 };
      return {
        event: 'TaskRetryScheduled',
        ...own,
        error,
        retryAt: own.occurredAt + delayMs,
        ...counts,
        task,
        ...changes,
      };
    },
    succeeded(attempt = 1, generation = 0): TaskSucceeded {
      const result = {
        storage: 'inline',
        value: '1',
        ref: null,
        preview: null,
        size: 1,
        contentType: 'application/json',
        sha256: 'a'.repeat(64),
        ttlMs: null,
      };
      return { event: 'TaskSucceeded', ...head(attempt, generation), result, durationMs: 1 };
    },
    cancelled(attempt = 1): TaskCancelled {
      return { event: 'TaskCancelled', ...head(attempt, 0), reason: 'no longer needed', actor: userId };
    },
  };
}
