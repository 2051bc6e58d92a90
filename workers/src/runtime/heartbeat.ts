import type { EventStamp } from '@taskflow/core/eventHead';
import { handOverEvent } from '@taskflow/core/handOver';
import type { TaskHeartbeat, TaskQueued } from '@taskflow/schemas/events';

/** How far a handler says that it is. */
export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly note: string | null;
}

/** A heartbeat that hands nothing over: it tells of progress, and keeps up the lease of a run that was handed over before. */
export function heartbeat(
  queued: TaskQueued,
  stamp: EventStamp,
  leaseMs: number,
  progress: Progress | undefined,
): TaskHeartbeat {
  const { fraction = null, note = null } = progress ?? {};
  return { ...handOverEvent(queued, stamp, leaseMs), task: null, progress: fraction, note };
}
