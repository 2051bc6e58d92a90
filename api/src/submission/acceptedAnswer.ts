import type { TaskAnswer } from '../shapes/task.ts';
import { timeText } from '../views/taskAnswer.ts';
import type { AcceptedTask } from './submissions.ts';

/** An accepted task as it is shown before any view knows it: in the queue. */
export function acceptedAnswer({ event, payload, position }: AcceptedTask): TaskAnswer {
  const createdAt = timeText(event.occurredAt);
  return {
    id: event.taskId,
    userId: event.userId,
    type: event.type,
    priority: event.priority as TaskAnswer['priority'],
    status: 'queued',
    payload,
    tags: event.task.tags as string[],
    generation: event.generation,
    attempt: event.attempt,
    maxAttempts: event.task.maxAttempts,
    retryCount: 0,
    createdAt,
    runAt: null,
    queuedAt: createdAt,
    startedAt: null,
    finishedAt: null,
    error: null,
    result: null,
    workflowRunId: event.runId,
    scheduleId: event.task.scheduleId,
    log: {
      queue:
        position === undefined
          ? null
          : { topic: position.topic, partition: position.partition, offset: position.offset },
      events: null,
    },
  };
}
