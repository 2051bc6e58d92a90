import type { Task, TaskEvent, TaskResult } from '../events.ts';
import type { RecordedEvent } from '../fold.ts';
import { eventsTopic, queueTopic } from '../topics.ts';

/** A task for tests, with every option at its default. */
export const someTask: Task = {
  payload: '{"url":"https://example.com/"}',
  maxAttempts: 3,
  backoffBaseMs: 1_000,
  backoffFactor: 2,
  backoffCapMs: 300_000,
  notRetryable: [],
  timeoutMs: 30_000,
  expiresAt: null,
  tags: [],
  idempotencyKey: null,
  bodyHash: null,
  scheduleId: null,
};

/** The result null, kept in the task. */
export const nullResult: TaskResult = {
  storage: 'inline',
  value: 'null',
  ref: null,
  preview: null,
  size: 4,
  contentType: 'application/json',
  sha256: '74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b',
  ttlMs: null,
};

const head = {
  taskId: '01999999-0000-7000-8000-000000000001',
  generation: 0,
  attempt: 1,
  workerId: '',
  userId: '00000000-0000-4000-8000-000000000001',
  type: 'web_scrape',
  priority: 'normal',
  runId: null,
  stepId: null,
};

/** What an event of each kind carries beside the head. */
const bodies: {
  readonly [Name in TaskEvent['event']]: Omit<
    Extract<TaskEvent, { event: Name }>,
    keyof typeof head | 'eventId' | 'occurredAt'
  >;
} = {
  TaskQueued: {
    event: 'TaskQueued',
    task: someTask,
    failures: 0,
    recoveries: 0,
    eventsPartition: 2,
    cause: 'submit',
    check: false,
    actor: null,
    reason: null,
  },
  TaskScheduled: { event: 'TaskScheduled', task: someTask, runAt: 1_760_000_600_000 },
  TaskStarted: { event: 'TaskStarted', delivery: 1, starts: 1, leaseMs: 30_000, queuePartition: 0, queueOffset: 7 },
  TaskHeartbeat: {
    event: 'TaskHeartbeat',
    progress: null,
    note: null,
    task: null,
    failures: 0,
    recoveries: 0,
    leaseMs: 30_000,
  },
  TaskSucceeded: {
    event: 'TaskSucceeded',
    result: nullResult,
    durationMs: 12,
  },
  TaskRetryScheduled: {
    event: 'TaskRetryScheduled',
    error: { code: 'HTTP_STATUS', message: 'answered 503', retryable: true, details: null },
    retryAt: 1_760_000_060_000,
    failures: 1,
    recoveries: 0,
    task: someTask,
  },
  TaskFailed: {
    event: 'TaskFailed',
    error: { code: 'HANDLER_ERROR', message: 'broke', retryable: true, details: '{"at":1}' },
    failures: 1,
  },
  TaskCancelled: { event: 'TaskCancelled', reason: null, actor: head.userId },
};

const written = new Set<TaskEvent['event']>([
  'TaskStarted',
  'TaskHeartbeat',
  'TaskSucceeded',
  'TaskRetryScheduled',
  'TaskFailed',
]);
let eventCount = 0;

/** An event of the one task of these tests, with an id and a time later than those of the event made before it. */
export function taskEvent<Name extends TaskEvent['event']>(
  name: Name,
  changes: Partial<Extract<TaskEvent, { event: Name }>> = {},
): Extract<TaskEvent, { event: Name }> {
  eventCount++;
  const own = {
    ...head,
    workerId: written.has(name) ? 'worker-1.4711.k3x9' : '',
    eventId: `01999999-1000-7000-8000-${String(eventCount).padStart(12, '0')}`,
    occurredAt: 1_760_000_000_000 + eventCount,
  };
  return { ...own, ...bodies[name], ...changes } as unknown as Extract<TaskEvent, { event: Name }>;
}

/** The event at an offset of its topic: TaskQueued in the queue's partition 0, all else in the events' partition 2. */
export function recorded(event: TaskEvent, offset: number): RecordedEvent {
  const queued = event.event === 'TaskQueued';
  const topic = (queued ? queueTopic : eventsTopic)(event.type, event.priority);
  return { event, topic, partition: queued ? 0 : 2, offset, appendedAt: event.occurredAt };
}
