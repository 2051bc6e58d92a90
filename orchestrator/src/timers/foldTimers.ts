import { applyToTimers, type TimerRow } from '@taskflow/core/timers';
import type { TaskEvent } from '@taskflow/schemas/events';
import type { RecordedEvent } from '@taskflow/schemas/fold';
import type { Effects } from '@taskflow/service/transactionalConsumer';
import type { PoolClient } from 'pg';
import { clockOf, insertTimers, lockTimers, updateTimers } from './timerTable.ts';

/** The events of a batch that may change a row, by task, in the order in which they were read. */
export type EventsByTask = Map<string, RecordedEvent[]>;

/** What a transaction did. */
export interface TimersWritten {
  /** In how many milliseconds the earliest of the timers is due that it set; null where it set none. */
  readonly dueInMs: number | null;
}

/** Under this name its positions are kept. */
export const consumerName = 'orchestrator';

/**
 * Folds events into the rows of `timers`. One statement reads the rows of all tasks that a batch touches and one writes each
 * kind of change, however many there are; a batch that touches none moves the positions and no more.
 */
export function timerEffects(
  onWritten: (written: TimersWritten) => void,
): Effects<TaskEvent, EventsByTask, TimersWritten> {
  return {
    consumer: consumerName,
    empty: () => new Map(),
    fold(byTask, { event, record: { topic, partition, offset, appendedAt } }) {
      const recorded = { event, topic, partition, offset, appendedAt };
      const before = byTask.get(event.taskId);
      if (before === undefined) byTask.set(event.taskId, [recorded]);
      else before.push(recorded);
    },
    prepare: (byTask) => (tx) => writeTimers(tx, byTask),
    committed: onWritten,
  };
}

/**
 * Another instance, which reads the queue, may touch the same tasks: rows are locked in the order of their ids, and where it
 * was faster to insert one, the events are applied again to what it has written.
 */
export async function writeTimers(tx: PoolClient, byTask: EventsByTask): Promise<TimersWritten> {
  let dueInMs = Number.POSITIVE_INFINITY;
  let left = [...byTask.keys()].sort();
  while (left.length > 0) {
    const [rows, now] = await Promise.all([lockTimers(tx, left), clockOf(tx)]);
    const fresh: TimerRow[] = [];
    const changed: TimerRow[] = [];
    for (const taskId of left) {
      const before = rows.get(taskId);
      const after = byTask
        .get(taskId)!
        .reduce<TimerRow | undefined>((row, event) => applyToTimers(row, event, now), before);
      if (after === undefined || after === before) continue;
      (before === undefined ? fresh : changed).push(after);
    }
    const [inserted] = await Promise.all([insertTimers(tx, fresh), updateTimers(tx, changed)]);
    for (const { timer } of [...changed, ...fresh])
      if (timer?.due != null) dueInMs = Math.min(dueInMs, timer.due - now);
    left = fresh.filter(({ taskId }) => !inserted.has(taskId)).map(({ taskId }) => taskId);
  }
  return { dueInMs: Number.isFinite(dueInMs) ? dueInMs : null };
}
