import type { TaskFailed } from '@taskflow/schemas/events';
import { type EventStamp, type EventSubject, eventHead } from './eventHead.ts';

/** Ends a task whose runs were lost with their workers, time after time. */
export function workerLost(
  subject: EventSubject & { readonly failures: number },
  message: string,
  stamp: EventStamp,
): TaskFailed {
  return {
    event: 'TaskFailed',
    ...eventHead(subject, stamp),
    error: { code: 'WORKER_LOST', message, retryable: false, details: null },
    failures: subject.failures,
  };
}
