import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { handOverEvent } from '../handOver.ts';
import { decideOutcome } from '../outcome.ts';
import { decideStart } from '../start.ts';
import { workerLost } from '../workerLost.ts';
import { queuedEvent } from './queuedEvent.ts';

/** Events of an attempt, for tests: what the decisions themselves build. */
const now = 1_760_000_100_000;

/** The id is always the same: no decision asks for it. */
export function stamp(workerId = 'worker-1.4711.k3x9') {
  return { now, eventId: '01999999-0000-7000-8000-0000000000e1', workerId };
}

export function started(
  of: Partial<TaskQueued> = {},
  how: { workerId?: string; starts?: number; queueOffset?: number } = {},
) {
  const { workerId, starts = 1, queueOffset = 7 } = how;
  const place = { delivery: starts, starts, leaseMs: 30_000, queuePartition: 0, queueOffset };
  return decideStart(queuedEvent(of), { ...stamp(workerId), ...place });
}

export function handedOver(of: Partial<TaskQueued> = {}, workerId?: string) {
  return handOverEvent(queuedEvent(of), stamp(workerId), 30_000);
}

export function heartbeat(of: Partial<TaskQueued> = {}, workerId?: string) {
  return { ...handedOver(of, workerId), task: null };
}

const context = { durationMs: 5, resultStorage: 'inline', resultTtlMs: null } as const;

export function succeeded(of: Partial<TaskQueued> = {}, workerId?: string) {
  return decideOutcome(queuedEvent(of), { kind: 'succeeded', value: 'null' }, { ...stamp(workerId), ...context });
}

export const error = { code: 'HTTP_STATUS', message: 'answered 503', retryable: true, details: null };

export function retryScheduled(of: Partial<TaskQueued> = {}, workerId?: string): TaskEvent {
  const outcome = { kind: 'failed', error } as const;
  return decideOutcome(queuedEvent(of), outcome, { ...stamp(workerId), ...context }, { random: 0.5 });
}

export function failed(of: Partial<TaskQueued> = {}, workerId?: string) {
  return workerLost(queuedEvent(of), 'lost', stamp(workerId));
}

export function cancelled(of: Partial<TaskQueued> = {}): TaskEvent {
  const { event: _, task: __, failures, recoveries, eventsPartition, cause, check, ...head } = queuedEvent(of);
  return { event: 'TaskCancelled', ...head, eventId: stamp().eventId, reason: 'no longer needed', actor: null };
}

/** Events as the events partition has them, from an offset on. */
export function onLog(events: readonly TaskEvent[], from = 200): readonly { offset: number; event: TaskEvent }[] {
  return events.map((event, n) => ({ offset: from + n, event }));
}
