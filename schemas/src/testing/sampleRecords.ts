import type { TaskflowRecord } from '../events.ts';
import { someTask, taskEvent } from './taskEvents.ts';

const taskId = '01999999-0000-7000-8000-000000000001';
const userId = '00000000-0000-4000-8000-000000000001';
const eventId = '01999999-3000-7000-8000-000000000001';
const occurredAt = 1_760_000_000_000;
const head = { eventId, occurredAt };

const fullTask = {
  ...someTask,
  backoffFactor: 1.5,
  notRetryable: ['HTTP_STATUS', 'TIMEOUT'],
  expiresAt: occurredAt + 60_000,
  tags: ['nightly', 'é€😀'],
  idempotencyKey: 'key-1',
  bodyHash: '74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b',
  scheduleId: '01999999-4000-7000-8000-000000000001',
};

const pause = { type: 'web_scrape', reason: 'the site asked for it', actor: userId, ...head };

/** One or two of each record, with every kind of field empty and filled, and numbers at their limits. */
export const sampleRecords: readonly TaskflowRecord[] = [
  taskEvent('TaskQueued', head),
  taskEvent('TaskQueued', {
    ...head,
    task: fullTask,
    runId: '01999999-5000-7000-8000-000000000001',
    stepId: 'fetch',
    generation: 2_147_483_647,
    failures: 2,
    recoveries: 1,
    cause: 'retry',
    check: true,
    actor: null,
    reason: null,
  }),
  taskEvent('TaskScheduled', head),
  taskEvent('TaskScheduled', { ...head, runAt: null }),
  taskEvent('TaskStarted', { ...head, queueOffset: Number.MAX_SAFE_INTEGER - 1 }),
  taskEvent('TaskHeartbeat', head),
  taskEvent('TaskHeartbeat', { ...head, progress: 0.1, note: 'half way', task: fullTask }),
  taskEvent('TaskSucceeded', head),
  taskEvent('TaskRetryScheduled', head),
  taskEvent('TaskFailed', head),
  taskEvent('TaskCancelled', { ...head, actor: null, reason: 'no longer needed' }),
  { event: 'TaskCancelRequested', taskId, generation: 1, type: 'web_scrape', priority: 'low', ...head },
  { event: 'TypePaused', ...pause },
  { event: 'TypeResumed', ...pause, reason: null, actor: null },
  {
    event: 'TaskLogLine',
    taskId,
    generation: 0,
    attempt: 1,
    workerId: 'worker-1.4711.k3x9',
    userId,
    type: 'web_scrape',
    seq: 0,
    occurredAt,
    level: 'info',
    message: 'line one\nline two',
    fields: '{"bytes":1024}',
  },
  {
    event: 'TaskTypeRegistered',
    type: 'web_scrape',
    version: 1,
    runtime: 'typescript',
    payloadSchema: '{"type":"object"}',
    resultSchema: '{}',
    resultStorage: 'mongo',
    takeover: 'at-once',
    maxAttempts: 3,
    backoffBaseMs: 1_000,
    backoffFactor: 2,
    backoffCapMs: 300_000,
    notRetryable: ['HTTP_STATUS'],
    timeoutMs: 30_000,
    priority: 'normal',
    workerId: 'worker-1.4711.k3x9',
    ...head,
  },
  {
    event: 'PoisonRecord',
    topic: 'taskflow.events.web_scrape.normal',
    partition: 2,
    offset: 4_711,
    appendedAt: occurredAt,
    reason: 'its body ends in the middle of a TaskStarted',
    schemaId: 4_294_967_295,
    key: null,
    value: Buffer.from([0, 255, 255, 255, 255, 1]),
    size: 6,
    occurredAt,
  },
];
