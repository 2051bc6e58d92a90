import { hash } from 'node:crypto';
import type {
  TaskError,
  TaskFailed,
  TaskQueued,
  TaskResult,
  TaskRetryScheduled,
  TaskSucceeded,
} from '@taskflow/schemas/events';
import { eventHead } from './eventHead.ts';
import { resultRef } from './resultRef.ts';
import { decideRetry, type RetryContext } from './retryPolicy.ts';

/** A result's JSON text may have this many bytes of UTF-8 to travel in the event. What is larger goes to the blob store first. */
export const maxResultBytes = 65_536;

/** An error's message is cut to this many characters, and details longer than this many are dropped: an event is no place for a page. */
export const maxMessageCharacters = 1_000;
export const maxDetailsCharacters = 16_384;

/** A result that the blob store has. */
export interface StoredResult {
  readonly ref: string;
  readonly size: number;
  readonly contentType: string;
  readonly sha256: string;
  readonly expiresAt: number;
}

/**
 * How a handler ended: what it returned, as JSON text; bytes that lie in the blob store, with what the type says of them (`figures`,
 * JSON text) where the bytes are a file; or why it could not.
 */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly value: string; readonly preview?: string | undefined }
  | {
      readonly kind: 'stored';
      readonly blob: StoredResult;
      readonly figures: string | null;
      readonly preview?: string | undefined;
    }
  | { readonly kind: 'failed'; readonly error: TaskError };

export interface OutcomeContext {
  readonly now: number;
  readonly eventId: string;
  readonly workerId: string;
  readonly durationMs: number;
  /** Where the type's results go. */
  readonly resultStorage: 'inline' | 'mongo';
  /** How long results are kept; null: for ever. */
  readonly resultTtlMs: number | null;
}

/**
 * The event that ends a run. JSON over the size limit that was not stored before is a failure (`RESULT_TOO_LARGE`).
 * `retry` is given where an orchestrator runs, which queues the next attempt; left out, every failure is final.
 */
export function decideOutcome(
  queued: TaskQueued,
  outcome: Outcome,
  context: OutcomeContext,
): TaskSucceeded | TaskFailed;
export function decideOutcome(
  queued: TaskQueued,
  outcome: Outcome,
  context: OutcomeContext,
  retry: RetryContext | undefined,
): TaskSucceeded | TaskRetryScheduled | TaskFailed;
export function decideOutcome(
  queued: TaskQueued,
  outcome: Outcome,
  context: OutcomeContext,
  retry?: RetryContext,
): TaskSucceeded | TaskRetryScheduled | TaskFailed {
  if (outcome.kind === 'failed') return afterFailure(queued, outcome.error, context, retry);
  const text = outcome.kind === 'stored' ? (outcome.figures ?? '') : outcome.value;
  const size = Buffer.byteLength(text);
  if (size > maxResultBytes) return afterFailure(queued, resultTooLarge(size, maxResultBytes), context, retry);
  const preview = outcome.preview ?? null;
  const result =
    outcome.kind === 'stored'
      ? storedResult(outcome.blob, outcome.figures, preview, context)
      : resultOf(queued, text, size, preview, context);
  return succeeded(queued, result, context);
}

/** Where a result goes whose JSON text has so many bytes; `maxBlobBytes` is what the blob store is to take. */
export function placeOfResult(size: number, maxBlobBytes: number): 'event' | 'blob' | 'nowhere' {
  if (size <= maxResultBytes) return 'event';
  return size <= maxBlobBytes ? 'blob' : 'nowhere';
}

function storedResult(
  { ref, size, contentType, sha256, expiresAt }: StoredResult,
  figures: string | null,
  preview: string | null,
  { now }: OutcomeContext,
): TaskResult {
  const ttlMs = Math.max(0, expiresAt - now);
  return { storage: 's3', value: figures, ref, preview, size, contentType, sha256, ttlMs };
}

function resultOf(
  queued: TaskQueued,
  value: string,
  size: number,
  preview: string | null,
  context: OutcomeContext,
): TaskResult {
  return {
    storage: context.resultStorage,
    value,
    ref: context.resultStorage === 'mongo' ? resultRef(queued, context.workerId) : null,
    preview,
    size,
    contentType: 'application/json',
    sha256: sha256(value),
    ttlMs: context.resultTtlMs,
  };
}

let hashed = { text: '', sha256: hash('sha256', '') };

/** Remembers the last: `null`, `{}`, `true` are what many tasks give, one after the other. */
function sha256(text: string): string {
  if (text !== hashed.text) hashed = { text, sha256: hash('sha256', text) };
  return hashed.sha256;
}

export function resultTooLarge(size: number, most: number): TaskError {
  return {
    code: 'RESULT_TOO_LARGE',
    message: `The result has ${size} bytes; at most ${most} are kept`,
    retryable: false,
    details: null,
  };
}

function afterFailure(
  queued: TaskQueued,
  error: TaskError,
  context: OutcomeContext,
  retry: RetryContext | undefined,
): TaskRetryScheduled | TaskFailed {
  const decision = decideRetry(queued, error, retry);
  if (decision.kind === 'final') return failed(queued, bounded(error), context);
  return retryScheduled(queued, bounded(error), decision.delayMs, context);
}

function bounded(error: TaskError): TaskError {
  const details = error.details !== null && error.details.length > maxDetailsCharacters ? null : error.details;
  return {
    code: error.code,
    message: error.message.slice(0, maxMessageCharacters).toWellFormed(),
    retryable: error.retryable,
    details,
  };
}

function succeeded(queued: TaskQueued, result: TaskResult, context: OutcomeContext): TaskSucceeded {
  // Member by member, where the others spread a head: this is made for nearly every task, and a spread costs ten times as much.
  return {
    event: 'TaskSucceeded',
    taskId: queued.taskId,
    generation: queued.generation,
    attempt: queued.attempt,
    workerId: context.workerId,
    eventId: context.eventId,
    userId: queued.userId,
    type: queued.type,
    priority: queued.priority,
    occurredAt: context.now,
    runId: queued.runId,
    stepId: queued.stepId,
    result,
    durationMs: context.durationMs,
  };
}

function retryScheduled(
  queued: TaskQueued,
  error: TaskError,
  delayMs: number,
  context: OutcomeContext,
): TaskRetryScheduled {
  return {
    event: 'TaskRetryScheduled',
    ...eventHead(queued, context),
    error,
    retryAt: context.now + delayMs,
    failures: queued.failures + 1,
    recoveries: queued.recoveries,
    task: queued.task,
  };
}

function failed(queued: TaskQueued, error: TaskError, context: OutcomeContext): TaskFailed {
  return { event: 'TaskFailed', ...eventHead(queued, context), error, failures: queued.failures + 1 };
}
