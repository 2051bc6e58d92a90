import { hash } from 'node:crypto';
import type { TaskError, TaskFailed, TaskQueued, TaskResult, TaskSucceeded } from '@taskflow/schemas/events';
import { resultRef } from './resultRef.ts';
import { decideRetry } from './retryPolicy.ts';

/** A result's JSON text may have this many bytes of UTF-8: it travels in the event. What is larger will go to a blob store. */
export const maxResultBytes = 65_536;

/** An error's message is cut to this many characters, and details longer than this many are dropped: an event is no place for a page. */
export const maxMessageCharacters = 1_000;
export const maxDetailsCharacters = 16_384;

/** How a handler ended: what it returned, as JSON text, or why it could not. */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly value: string; readonly preview?: string | undefined }
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

/** The event that ends a run. A result over the size limit is a failure (`RESULT_TOO_LARGE`). */
export function decideOutcome(
  queued: TaskQueued,
  outcome: Outcome,
  context: OutcomeContext,
): TaskSucceeded | TaskFailed {
  if (outcome.kind === 'failed') return afterFailure(queued, outcome.error, context);
  const size = Buffer.byteLength(outcome.value);
  if (size > maxResultBytes) return afterFailure(queued, tooLarge(size), context);
  return succeeded(queued, resultOf(queued, outcome.value, size, outcome.preview ?? null, context), context);
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
    sha256: hash('sha256', value),
    ttlMs: context.resultTtlMs,
  };
}

function tooLarge(size: number): TaskError {
  return {
    code: 'RESULT_TOO_LARGE',
    message: `The result has ${size} bytes of JSON; at most ${maxResultBytes} are kept`,
    retryable: false,
    details: null,
  };
}

/** Here the paths of an attempt part, once `decideRetry` has more than one answer. */
function afterFailure(queued: TaskQueued, error: TaskError, context: OutcomeContext): TaskFailed {
  const decision = decideRetry(queued, error);
  switch (decision) {
    case 'final':
      return failed(queued, bounded(error), context);
  }
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

function failed(queued: TaskQueued, error: TaskError, context: OutcomeContext): TaskFailed {
  return {
    event: 'TaskFailed',
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
    error,
    failures: queued.failures + 1,
  };
}
