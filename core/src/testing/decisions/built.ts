import type { TaskQueued } from '@taskflow/schemas/events';
import { nullResult } from '@taskflow/schemas/testing/taskEvents';
import { handOverEvent } from '../../handOver.ts';
import { decideOutcome, type Outcome } from '../../outcome.ts';
import { decideStart, type StartContext } from '../../start.ts';
import { workerLost } from '../../workerLost.ts';
import { workerStopped } from '../../workerStopped.ts';
import { error } from '../events.ts';
import { queuedEvent } from '../queuedEvent.ts';
import type { Decision } from './decision.ts';

type Given = { readonly queued: TaskQueued } & (
  | { readonly build: 'started'; readonly context: StartContext }
  | {
      readonly build: 'outcome';
      readonly outcome: Outcome;
      readonly random: number | null;
      readonly context: {
        now: number;
        eventId: string;
        workerId: string;
        durationMs: number;
        resultStorage: 'inline' | 'mongo';
        resultTtlMs: null;
      };
    }
  | { readonly build: 'hand-over'; readonly stamp: Stamp; readonly leaseMs: number }
  | { readonly build: 'worker-lost' | 'worker-stopped'; readonly stamp: Stamp; readonly message: string }
);
type Stamp = { readonly now: number; readonly eventId: string; readonly workerId: string };

const queued = queuedEvent({ generation: 1, attempt: 3, failures: 1, recoveries: 1 });
const stamp: Stamp = {
  now: 1_760_000_001_000,
  eventId: '01999999-0000-7000-8000-000000000009',
  workerId: 'worker-1.4711.k3x9',
};
const outcomeContext = { ...stamp, durationMs: 12, resultStorage: 'mongo', resultTtlMs: null } as const;
const { taskId, userId, type, priority, runId, stepId, task } = queued;
const head = {
  taskId,
  generation: 1,
  attempt: 3,
  workerId: stamp.workerId,
  eventId: stamp.eventId,
  userId,
  type,
  priority,
  occurredAt: stamp.now,
  runId,
  stepId,
};
const blob = {
  ref: `2026-12-03/${queued.userId}/0198c5a1-7c2e-7d3f-9b1a-2f6c8e4d5a70`,
  size: 5_000_000_000,
  contentType: 'image/webp',
  sha256: '164404ccfbe79b49b87902abcbf97e0a6cb3f53361a79d7e247c5aa6e4fe6de0',
  expiresAt: stamp.now + 86_400_000,
};
const { expiresAt: _, ...storedFields } = blob;
const storedBlob = { storage: 's3', ...storedFields, ttlMs: 86_400_000 };
const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));

export const built: Decision<Given> = {
  name: 'built-events',
  about:
    'The events that a worker writes, field by field. (The record is the TaskQueued of an attempt; random null: no orchestrator runs.)',
  cases: [
    {
      name: 'a start',
      given: {
        build: 'started',
        queued,
        context: { ...stamp, delivery: 2, starts: 2, leaseMs: 30_000, queuePartition: 0, queueOffset: 99 },
      },
      expected: {
        event: 'TaskStarted',
        ...head,
        delivery: 2,
        starts: 2,
        leaseMs: 30_000,
        queuePartition: 0,
        queueOffset: 99,
      },
    },
    {
      name: 'a success',
      given: {
        build: 'outcome',
        queued,
        outcome: { kind: 'succeeded', value: '{"title":"€"}', preview: '€' },
        random: 0.5,
        context: outcomeContext,
      },
      expected: {
        event: 'TaskSucceeded',
        ...head,
        result: {
          storage: 'mongo',
          value: '{"title":"€"}',
          ref: `${taskId}.1.3.worker-1.4711.k3x9`,
          preview: '€',
          size: 15,
          contentType: 'application/json',
          sha256: '164404ccfbe79b49b87902abcbf97e0a6cb3f53361a79d7e247c5aa6e4fe6de0',
          ttlMs: null,
        },
        durationMs: 12,
      },
    },
    {
      name: 'a success inline',
      given: {
        build: 'outcome',
        queued,
        outcome: { kind: 'succeeded', value: 'null' },
        random: 0.5,
        context: { ...outcomeContext, resultStorage: 'inline' },
      },
      expected: {
        event: 'TaskSucceeded',
        ...head,
        result: nullResult,
        durationMs: 12,
      },
    },
    {
      name: 'a large result in the blob store',
      given: {
        build: 'outcome',
        queued,
        outcome: { kind: 'stored', blob: { ...blob, contentType: 'application/json' }, figures: null },
        random: 0.5,
        context: outcomeContext,
      },
      expected: {
        event: 'TaskSucceeded',
        ...head,
        result: { ...storedBlob, contentType: 'application/json', value: null, preview: null },
        durationMs: 12,
      },
    },
    {
      name: 'a file in the blob store, whose time is over before it is told of',
      given: {
        build: 'outcome',
        queued,
        outcome: {
          kind: 'stored',
          blob: { ...blob, expiresAt: stamp.now - 1 },
          figures: '{"ratio":0.5}',
          preview: 'half',
        },
        random: 0.5,
        context: outcomeContext,
      },
      expected: {
        event: 'TaskSucceeded',
        ...head,
        result: { ...storedBlob, value: '{"ratio":0.5}', preview: 'half', ttlMs: 0 },
        durationMs: 12,
      },
    },
    {
      name: 'a file of which there is too much to say',
      given: {
        build: 'outcome',
        queued,
        outcome: { kind: 'stored', blob, figures: text(70_000) },
        random: 0.5,
        context: outcomeContext,
      },
      expected: {
        event: 'TaskFailed',
        ...head,
        error: {
          code: 'RESULT_TOO_LARGE',
          message: 'The result has 70000 bytes; at most 65536 are kept',
          retryable: false,
          details: null,
        },
        failures: 2,
      },
    },
    {
      name: 'a failure that is retried',
      given: { build: 'outcome', queued, outcome: { kind: 'failed', error }, random: 0.5, context: outcomeContext },
      expected: {
        event: 'TaskRetryScheduled',
        ...head,
        error,
        retryAt: stamp.now + 1_000,
        failures: 2,
        recoveries: 1,
        task,
      },
    },
    {
      name: 'a failure that is final',
      given: { build: 'outcome', queued, outcome: { kind: 'failed', error }, random: null, context: outcomeContext },
      expected: { event: 'TaskFailed', ...head, error, failures: 2 },
    },
    {
      name: 'a result that is too large',
      given: {
        build: 'outcome',
        queued,
        outcome: { kind: 'succeeded', value: text(65_537) },
        random: 0.5,
        context: outcomeContext,
      },
      expected: {
        event: 'TaskFailed',
        ...head,
        error: {
          code: 'RESULT_TOO_LARGE',
          message: 'The result has 65537 bytes; at most 65536 are kept',
          retryable: false,
          details: null,
        },
        failures: 2,
      },
    },
    {
      name: 'a hand-over',
      given: { build: 'hand-over', queued, stamp, leaseMs: 30_000 },
      expected: {
        event: 'TaskHeartbeat',
        ...head,
        progress: null,
        note: null,
        task,
        failures: 1,
        recoveries: 1,
        leaseMs: 30_000,
      },
    },
    {
      name: 'an attempt given back',
      given: { build: 'worker-stopped', queued, stamp, message: 'The worker stops' },
      expected: {
        event: 'TaskRetryScheduled',
        ...head,
        error: { code: 'WORKER_STOPPED', message: 'The worker stops', retryable: true, details: null },
        retryAt: stamp.now,
        failures: 1,
        recoveries: 1,
        task,
      },
    },
    {
      name: 'a task whose workers were lost',
      given: { build: 'worker-lost', queued, stamp, message: 'Started 5 times in vain' },
      expected: {
        event: 'TaskFailed',
        ...head,
        error: { code: 'WORKER_LOST', message: 'Started 5 times in vain', retryable: false, details: null },
        failures: 1,
      },
    },
  ],
  decide(given) {
    switch (given.build) {
      case 'started':
        return decideStart(given.queued, given.context);
      case 'outcome': {
        const retry = given.random === null ? undefined : { random: given.random };
        return decideOutcome(given.queued, given.outcome, given.context, retry);
      }
      case 'hand-over':
        return handOverEvent(given.queued, given.stamp, given.leaseMs);
      case 'worker-lost':
        return workerLost(given.queued, given.message, given.stamp);
      case 'worker-stopped':
        return workerStopped(given.queued, given.message, given.stamp);
    }
  },
};
