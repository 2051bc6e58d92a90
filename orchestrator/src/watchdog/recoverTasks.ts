import { uuidv7 } from '@taskflow/core/ids';
import type { ProtocolValues } from '@taskflow/core/protocolValues';
import type { TimerRow } from '@taskflow/core/timers';
import { recoverForgotten } from '@taskflow/core/watchdog';
import type { Codec } from '@taskflow/schemas/codec';
import { isEnd, versionOf } from '@taskflow/schemas/fold';
import { lockPositions } from '@taskflow/service/positions';
import { inTransaction, type Pool } from '@taskflow/service/postgres';
import { addToOutbox, type OutboxRow } from '../outbox/outboxTable.ts';
import { entryOf } from '../timers/fireTimers.ts';
import { consumerName } from '../timers/foldTimers.ts';
import type { LaneEnd } from '../timers/laneEnds.ts';
import { clockOf, insertTimers, lockTimers, updateTimers } from '../timers/timerTable.ts';
import type { ForgottenTask } from './forgottenTask.ts';

export interface RecoverPorts {
  readonly pool: Pool;
  readonly codec: Codec;
  readonly values: Pick<ProtocolValues, 'maxRecoveries'>;
}

/**
 * Queues forgotten tasks of one lane again: their rows in `timers`, which remember it, and the events in the outbox, in one transaction
 * that holds the lane's position. A task whose row has gone as far already, or has a timer, is somebody's: it is left alone.
 */
export async function recoverTasks(
  { pool, codec, values }: RecoverPorts,
  tasks: readonly ForgottenTask[],
  end: LaneEnd,
): Promise<OutboxRow[]> {
  return inTransaction(pool, async (tx) => {
    await lockPositions(tx, consumerName, [end.events]);
    const rows = await lockTimers(tx, tasks.map(({ state }) => state.id).sort());
    const now = await clockOf(tx);
    const recovered = tasks.flatMap(({ state, ...rest }) => {
      const subject = { ...state, ...rest, taskId: state.id };
      const event = recoverForgotten(subject, { now, eventId: uuidv7() }, values);
      const before = rows.get(state.id);
      const isSomebodys = before !== undefined && (before.timer !== null || before.version >= versionOf(event));
      return isSomebodys ? [] : [{ before, event }];
    });
    const after = recovered.map(({ before, event }): [TimerRow | undefined, TimerRow] => [
      before,
      {
        taskId: event.taskId,
        userId: event.userId,
        type: event.type,
        priority: event.priority,
        runId: event.runId,
        stepId: event.stepId,
        eventsPartition: end.lane.eventsPartition,
        version: versionOf(event),
        generation: event.generation,
        attempt: event.attempt,
        endedAt: isEnd(event.event) ? now : null,
        timer: null,
      },
    ]);
    const inserted = await insertTimers(
      tx,
      after.flatMap(([before, row]) => (before === undefined ? [row] : [])),
    );
    const updates = after.flatMap(([before, row]) => (before === undefined ? [] : [row]));
    await updateTimers(tx, updates);
    const written = new Set([...inserted, ...updates.map(({ taskId }) => taskId)]);
    const entries = recovered
      .filter(({ event }) => written.has(event.taskId))
      .map(({ event }) => entryOf({ event }, end));
    return addToOutbox(tx, codec, entries);
  });
}
