import type { TaskError, TaskEvent } from '../events.ts';
import type { ErrorSummary, RecordedEvent } from './taskState.ts';

/** What the history keeps of an event. Its topic follows from the task: TaskQueued lies in the queue topic, all else in the events topic. */
export interface HistoryEntry {
  readonly event: TaskEvent['event'];
  readonly generation: number;
  readonly attempt: number;
  readonly eventId: string;
  /** When it happened, by its writer's clock. */
  readonly at: number;
  readonly workerId: string;
  readonly partition: number;
  /** Of several copies of the event (one id) the first. */
  readonly offset: number;
  /** TaskQueued: why it was queued. */
  readonly cause: string | null;
  /** TaskQueued: where the task's events lie. (Of other events that is `partition`.) */
  readonly eventsPartition: number | null;
  /** TaskStarted: how often the share group had handed out the record. */
  readonly delivery: number | null;
  /** TaskStarted: how often the attempt had been started. */
  readonly starts: number | null;
  /** TaskHeartbeat: 0 to 1. */
  readonly progress: number | null;
  /** TaskHeartbeat: it moved the run's lease to the log. */
  readonly handOver: boolean;
  /** TaskScheduled: runAt; TaskRetryScheduled: retryAt. */
  readonly dueAt: number | null;
  /** TaskRetryScheduled, TaskFailed. */
  readonly error: ErrorSummary | null;
  /** TaskSucceeded: how long the handler ran. */
  readonly durationMs: number | null;
  /** TaskCancelled, TaskQueued by a redrive: who did it; null for the system. */
  readonly actor: string | null;
  /** Likewise: in whose words. */
  readonly reason: string | null;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the history keeps of a recorded event. Every entry has the same shape, whatever its event: the fold is hot. */
export function historyEntry(recorded: RecordedEvent): HistoryEntry {
  const { event } = recorded;
  const entry: Writable<HistoryEntry> = {
    event: event.event,
    generation: event.generation,
    attempt: event.attempt,
    eventId: event.eventId,
    at: event.occurredAt,
    workerId: event.workerId,
    partition: recorded.partition,
    offset: recorded.offset,
    cause: null,
    eventsPartition: null,
    delivery: null,
    starts: null,
    progress: null,
    handOver: false,
    dueAt: null,
    error: null,
    durationMs: null,
    actor: null,
    reason: null,
  };
  switch (event.event) {
    case 'TaskQueued':
      entry.cause = event.cause;
      entry.eventsPartition = event.eventsPartition;
      entry.actor = event.actor;
      entry.reason = event.reason;
      break;
    case 'TaskScheduled':
      entry.dueAt = event.runAt;
      break;
    case 'TaskStarted':
      entry.delivery = event.delivery;
      entry.starts = event.starts;
      break;
    case 'TaskHeartbeat':
      entry.progress = event.progress;
      entry.handOver = event.task !== null;
      break;
    case 'TaskRetryScheduled':
      entry.dueAt = event.retryAt;
      entry.error = summaryOf(event.error);
      break;
    case 'TaskFailed':
      entry.error = summaryOf(event.error);
      break;
    case 'TaskSucceeded':
      entry.durationMs = event.durationMs;
      break;
    case 'TaskCancelled':
      entry.actor = event.actor;
      entry.reason = event.reason;
      break;
  }
  return entry;
}

function summaryOf(error: TaskError): ErrorSummary {
  return { code: error.code, message: error.message, retryable: error.retryable };
}
