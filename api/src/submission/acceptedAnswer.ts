import type { TaskQueued } from '@taskflow/schemas/events';
import { evolve } from '@taskflow/schemas/fold';
import type { TaskAnswer } from '../shapes/task.ts';
import { type ShownState, taskAnswer, timeText } from '../views/taskAnswer.ts';
import type { AcceptedTask } from './submissions.ts';

/** An accepted task as it is shown before any view knows it: in the queue, or scheduled. */
export function acceptedAnswer(task: AcceptedTask): TaskAnswer {
  return task.event.event === 'TaskQueued' ? queuedAnswer(task.event, task) : scheduledAnswer(task);
}

function scheduledAnswer({ event, position }: AcceptedTask): TaskAnswer {
  const place = position ?? { topic: '', partition: 0, offset: 0, appendedAt: 0 };
  const answer = taskAnswer(evolve(undefined, { event, ...place }) as ShownState);
  return position === undefined ? { ...answer, log: { queue: null, events: null } } : answer;
}

/** Member by member: of a batch a thousand are answered at once. */
function queuedAnswer(event: TaskQueued, { payload, position }: AcceptedTask): TaskAnswer {
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
