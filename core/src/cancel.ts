import type { TaskCancelled, TaskCancelRequested } from '@taskflow/schemas/events';
import { hasEnded, type TaskState, type TaskStatus } from '@taskflow/schemas/fold';
import { eventHead } from './eventHead.ts';

/** What of a task's state the commands on it need. */
export type CommandedTask = Pick<
  TaskState,
  'id' | 'userId' | 'type' | 'priority' | 'runId' | 'stepId' | 'status' | 'generation' | 'attempt'
>;

export interface CancelContext {
  readonly now: number;
  readonly eventId: string;
  /** Of the signal. */
  readonly signalId: string;
  /** Who cancels; null for the system. */
  readonly actor: string | null;
  readonly reason: string | null;
}

export type CancelDecision =
  | {
      readonly kind: 'cancel';
      /** To the task's events partition, first. It ends the task, whatever still runs. */
      readonly event: TaskCancelled;
      /** To taskflow.control under the task's id, once the event is acknowledged. */
      readonly signal: TaskCancelRequested;
    }
  | { readonly kind: 'refused'; readonly status: TaskStatus };

/** Cancels what has not ended. */
export function decideCancel(task: CommandedTask, context: CancelContext): CancelDecision {
  if (hasEnded(task.status)) return { kind: 'refused', status: task.status };
  const { now, actor, reason } = context;
  const stamp = { now, eventId: context.eventId, workerId: '' };
  return {
    kind: 'cancel',
    event: { event: 'TaskCancelled', ...eventHead({ ...task, taskId: task.id }, stamp), reason, actor },
    signal: cancelSignal(task, { now, eventId: context.signalId }),
  };
}

/** What tells workers that a task is cancelled. Given again it says the same: whoever cancelled may have died before it. */
export function cancelSignal(
  { id, generation, type, priority }: Pick<CommandedTask, 'id' | 'generation' | 'type' | 'priority'>,
  { now, eventId }: { readonly now: number; readonly eventId: string },
): TaskCancelRequested {
  return { event: 'TaskCancelRequested', taskId: id, generation, eventId, type, priority, occurredAt: now };
}
