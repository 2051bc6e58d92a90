import type { Task, TaskResult } from '@taskflow/schemas/events';
import { type HistoryEntry, type TaskState, timeline } from '@taskflow/schemas/fold';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import type { EventAnswer } from '../shapes/event.ts';
import type { TaskAnswer } from '../shapes/task.ts';

/** A state with its submission: without one a task is not shown. */
export type ShownState = TaskState & { readonly submission: Task };

/** A task's state as answers show it: member by member, so that nothing else of it gets out. */
export function taskAnswer(state: ShownState): TaskAnswer {
  const { submission, error, queue, events } = state;
  return {
    id: state.id,
    userId: state.userId,
    type: state.type,
    priority: state.priority as TaskAnswer['priority'],
    status: state.status,
    payload: JSON.parse(submission.payload) as unknown,
    tags: [...submission.tags],
    generation: state.generation,
    attempt: state.attempt,
    maxAttempts: submission.maxAttempts,
    retryCount: state.retryCount,
    createdAt: timeText(state.createdAt),
    runAt: timeOrNull(state.runAt),
    queuedAt: timeOrNull(state.queuedAt),
    startedAt: timeOrNull(state.startedAt),
    finishedAt: timeOrNull(state.finishedAt),
    error: error && { code: error.code, message: error.message, retryable: error.retryable },
    result: state.result && resultAnswer(state.result, resultExpiresAt(state)),
    workflowRunId: state.runId,
    scheduleId: submission.scheduleId,
    log: {
      queue: queue && { topic: queue.topic, partition: queue.partition, offset: queue.offset },
      events: events && {
        topic: events.topic,
        partition: events.partition,
        firstOffset: events.firstOffset,
        lastOffset: events.lastOffset,
      },
    },
  };
}

function resultAnswer(result: TaskResult, expiresAt: number | null): TaskAnswer['result'] {
  return {
    storage: result.storage,
    ref: result.ref,
    preview: result.preview,
    size: result.size,
    contentType: result.contentType,
    sha256: result.sha256,
    expiresAt: timeOrNull(expiresAt),
  };
}

/** Until when the result is kept; null: for ever. */
export function resultExpiresAt({ result, finishedAt }: TaskState): number | null {
  if (result === null || result.ttlMs === null || finishedAt === null) return null;
  return finishedAt + result.ttlMs;
}

/** The history of a task as it is read: in order, and whether each event counted. */
export function eventsAnswer(state: TaskState): EventAnswer[] {
  return timeline(state.history).map((entry) => ({
    event: entry.event,
    generation: entry.generation,
    attempt: entry.attempt,
    at: timeText(entry.at),
    workerId: entry.workerId === '' ? null : entry.workerId,
    delivery: entry.delivery,
    topic: (entry.event === 'TaskQueued' ? queueTopic : eventsTopic)(state.type, state.priority),
    partition: entry.partition,
    offset: entry.offset,
    counted: entry.counted,
    eventId: entry.eventId,
    ...detailsOf(entry),
  }));
}

function detailsOf(entry: HistoryEntry): Partial<EventAnswer> {
  const details: Record<string, unknown> = {};
  if (entry.cause !== null) details.cause = entry.cause;
  if (entry.starts !== null) details.starts = entry.starts;
  if (entry.progress !== null) details.progress = entry.progress;
  if (entry.event === 'TaskHeartbeat') details.handOver = entry.handOver;
  if (entry.dueAt !== null) details.dueAt = timeText(entry.dueAt);
  if (entry.error !== null) {
    details.error = { code: entry.error.code, message: entry.error.message, retryable: entry.error.retryable };
  }
  if (entry.durationMs !== null) details.durationMs = entry.durationMs;
  if (entry.actor !== null) details.actor = entry.actor;
  if (entry.reason !== null) details.reason = entry.reason;
  return details;
}

let lastMs = Number.NaN;
let lastText = '';

/** RFC 3339. The tasks of a batch have one time, which is written out once. */
export function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timeText(ms);
}
