import type { TaskQueued, TaskScheduled } from '@taskflow/schemas/events';
import { chooseEventsPartition } from './eventsPartition.ts';
import { type OptionChoices, resolveOptions, type TaskOptions } from './options.ts';

/** One task as its submitter describes it, validated. */
export interface Submission extends OptionChoices {
  readonly type: string;
  /** Any JSON value that the type's payload schema accepts. */
  readonly payload: unknown;
  /** RFC 3339. */
  readonly expiresAt?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** What a submission is decided with: all that is not the submitter's to say. */
export interface SubmitContext {
  readonly now: number;
  /** UUIDv7, or UUIDv5 where the task is derived from a cause that may ask twice. */
  readonly taskId: string;
  readonly eventId: string;
  readonly userId: string;
  /** How many partitions the events topic of the type and priority has at this moment. */
  readonly eventsPartitions: number;
  /** The type's default options, as it has registered them. */
  readonly defaults: TaskOptions;
  /** The Idempotency-Key of the submission, or of its batch, with the SHA-256 of the body that came with it. */
  readonly idempotency?: { readonly key: string; readonly bodyHash: string } | undefined;
  /** Whether the record may already be on the log (an append whose answer was lost): a worker then looks before it runs it. */
  readonly check?: boolean | undefined;
}

/** The event that a submission is: attempt 1 of generation 0, with every option filled in so that no reader needs the type. */
export function decideSubmit(submission: Submission, context: SubmitContext): TaskQueued {
  const options = resolveOptions(submission, context.defaults);
  return {
    event: 'TaskQueued',
    taskId: context.taskId,
    generation: 0,
    attempt: 1,
    workerId: '',
    eventId: context.eventId,
    userId: context.userId,
    type: submission.type,
    priority: options.priority,
    occurredAt: context.now,
    runId: null,
    stepId: null,
    task: {
      payload: JSON.stringify(submission.payload),
      maxAttempts: options.maxAttempts,
      backoffBaseMs: options.backoffBaseMs,
      backoffFactor: options.backoffFactor,
      backoffCapMs: options.backoffCapMs,
      notRetryable: options.notRetryable,
      timeoutMs: options.timeoutMs,
      expiresAt: submission.expiresAt === undefined ? null : Date.parse(submission.expiresAt),
      tags: submission.tags ?? [],
      idempotencyKey: context.idempotency?.key ?? null,
      bodyHash: context.idempotency?.bodyHash ?? null,
      scheduleId: null,
    },
    failures: 0,
    recoveries: 0,
    eventsPartition: chooseEventsPartition(context.taskId, context.eventsPartitions),
    cause: 'submit',
    check: context.check ?? false,
    actor: null,
    reason: null,
  };
}

/**
 * A submission with a `runAt` (milliseconds) that lies ahead of its time is accepted for later: its event then goes to the events partition
 * that the task has. Where that time has come already it is queued like any other.
 */
export function decideWhen(queued: TaskQueued, runAt: number | null): TaskQueued | TaskScheduled {
  if (runAt === null || runAt <= queued.occurredAt) return queued;
  const { event: _, failures, recoveries, eventsPartition, cause, check, actor, reason, ...rest } = queued;
  return { event: 'TaskScheduled', ...rest, runAt };
}
