import type { TaskEvent } from '../events.ts';
import type { TaskStatus } from './taskState.ts';

const statuses: Readonly<Record<TaskEvent['event'], TaskStatus>> = {
  TaskScheduled: 'scheduled',
  TaskQueued: 'queued',
  TaskStarted: 'running',
  TaskHeartbeat: 'running',
  TaskRetryScheduled: 'retrying',
  TaskSucceeded: 'success',
  TaskFailed: 'failed',
  TaskCancelled: 'cancelled',
};

/** The status of a task whose greatest event this is. The one place in which events become statuses. */
export function statusOf(event: TaskEvent['event']): TaskStatus {
  return statuses[event];
}

/** Whether nothing but a redrive can change the task any more. */
export function hasEnded(status: TaskStatus): boolean {
  return status === 'success' || status === 'failed' || status === 'cancelled';
}
