import { PRIORITIES, type Priority } from '@taskflow/schemas/topics';
import { type CheckState, OK } from '@taskflow/service/readiness';
import type { Dispatch } from './dispatch.ts';
import type { Outbox } from './outbox.ts';
import type { TaskQueue } from './ports.ts';
import type { Slots } from './slots.ts';

/** A queue as the worker needs it to judge its own health; `QueueConsumer` of `@taskflow/log` fits. */
export interface WorkerQueue extends TaskQueue {
  health(): {
    readonly assignedPartitions: number;
    readonly openSessions: number;
    /** Milliseconds since a fetch was last answered. */
    readonly sinceFetchMs: number | undefined;
    readonly lastError: string | undefined;
  };
}

export interface RunningType {
  readonly type: string;
  readonly slots: Slots;
  readonly queues: Readonly<Record<Priority, WorkerQueue>>;
  readonly dispatch: Dispatch;
}

/** Nothing moved for so long: the worker says that it is not well. */
const STUCK_AFTER_MS = 30_000;

/**
 * Whether tasks can be taken. While none are asked for (all slots are busy, or the type is paused) that needs no session: a broker
 * closes connections that have been idle for ten minutes, and the next fetch opens a new one.
 */
export function membershipOf(types: readonly RunningType[]): CheckState {
  for (const { type, queues, dispatch } of types) {
    for (const priority of PRIORITIES) {
      const { assignedPartitions, openSessions, lastError } = queues[priority].health();
      if (assignedPartitions === 0 || (openSessions === 0 && !dispatch.isIdle)) {
        const what = assignedPartitions === 0 ? 'has no assignment' : 'has no session with its broker';
        return {
          state: 'failing',
          reason: `The queue ${type}.${priority} ${what}${lastError ? `: ${lastError}` : ''}`,
        };
      }
    }
  }
  return OK;
}

export function progressOf(types: readonly RunningType[], outbox: Outbox): CheckState {
  if (outbox.stuckMs > STUCK_AFTER_MS) {
    const seconds = Math.round(outbox.stuckMs / 1_000);
    return { state: 'failing', reason: `${outbox.pending} events wait to be appended, none was for ${seconds} s` };
  }
  for (const type of types) {
    const silent = silentMs(type);
    if (silent > STUCK_AFTER_MS) {
      return { state: 'failing', reason: `No queue of ${type.type} has answered for ${Math.round(silent / 1_000)} s` };
    }
  }
  return OK;
}

/** How long at least one type has asked in vain while nothing was in hand. A process in that state may as well begin anew. */
export function idleForMs(types: readonly RunningType[], outbox: Outbox): number {
  if (outbox.pending > 0 || types.some(({ slots }) => slots.unsettledCount > 0)) return 0;
  return Math.max(0, ...types.map(silentMs));
}

/** How long a type has asked its queues without an answer; 0 where it has nothing to ask for. */
function silentMs({ dispatch, queues }: RunningType): number {
  if (dispatch.isIdle) return 0;
  const wanting = performance.now() - dispatch.wantsSince;
  return Math.min(wanting, ...PRIORITIES.map((priority) => queues[priority].health().sinceFetchMs ?? wanting));
}
