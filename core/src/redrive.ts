import type { Task, TaskQueued } from '@taskflow/schemas/events';
import type { TaskStatus } from '@taskflow/schemas/fold';
import type { CommandedTask } from './cancel.ts';
import { eventHead } from './eventHead.ts';

export interface RedriveContext {
  readonly now: number;
  readonly eventId: string;
  /** Of the task, as its events or its TaskQueued say. */
  readonly eventsPartition: number;
  /** Whether the record may already be on the log: whoever claimed (task, generation) before got no answer. */
  readonly check: boolean;
  /** Who redrives; null for the system. */
  readonly actor: string | null;
  readonly reason: string | null;
}

export type RedriveDecision =
  | { readonly kind: 'redrive'; readonly event: TaskQueued }
  | { readonly kind: 'refused'; readonly status: TaskStatus };

/** Opens a failed or cancelled task again: the next generation, from attempt 1, with nothing counted and no expiry. */
export function decideRedrive(
  task: CommandedTask & { readonly submission: Task },
  context: RedriveContext,
): RedriveDecision {
  if (!isRedrivable(task.status)) return { kind: 'refused', status: task.status };
  const subject = { ...task, taskId: task.id, generation: task.generation + 1, attempt: 1 };
  return {
    kind: 'redrive',
    event: {
      event: 'TaskQueued',
      ...eventHead(subject, { now: context.now, eventId: context.eventId, workerId: '' }),
      task: { ...task.submission, expiresAt: null },
      failures: 0,
      recoveries: 0,
      eventsPartition: context.eventsPartition,
      cause: 'redrive',
      check: context.check,
      actor: context.actor,
      reason: context.reason,
    },
  };
}

export function isRedrivable(status: TaskStatus): boolean {
  return status === 'failed' || status === 'cancelled';
}
