import { chooseEventsPartition } from '@taskflow/core/eventsPartition';
import { uuidv7 } from '@taskflow/core/ids';
import type { ProtocolValues } from '@taskflow/core/protocolValues';
import { type Fired, fireTimer, mayFire } from '@taskflow/core/timerFiring';
import type { TimerRow } from '@taskflow/core/timers';
import type { Codec } from '@taskflow/schemas/codec';
import { lockPositions } from '@taskflow/service/positions';
import { inTransaction, type Pool } from '@taskflow/service/postgres';
import { addToOutbox, type OutboxEntry, type OutboxRow } from '../outbox/outboxTable.ts';
import type { Lane } from '../topics.ts';
import { consumerName } from './foldTimers.ts';
import { type LaneEnd, readUpTo } from './laneEnds.ts';
import { clockOf, lockTimers, updateTimers } from './timerTable.ts';

export interface FiredTimer {
  readonly before: TimerRow;
  readonly fired: Fired;
  /** How long after its due time. */
  readonly lateMs: number;
}

export interface FiringPorts {
  /** Commits in it wait for the disk: what is sent must not be forgotten. */
  readonly pool: Pool;
  readonly codec: Codec;
  readonly values: Pick<ProtocolValues, 'maxRecoveries'>;
}

/**
 * Fires timers of these tasks: their rows, and what they emit in the outbox, in one transaction that holds the positions of the lanes.
 * With those locked, everything on the log up to the ends given is in the rows, whoever has read it; a row that has
 * changed its mind meanwhile (a heartbeat, an end, another instance that was faster) is no longer due, and stays as it is.
 */
export async function fireTimers(
  { pool, codec, values }: FiringPorts,
  taskIds: readonly string[],
  ends: readonly LaneEnd[],
  positions: ReadonlyMap<string, number>,
): Promise<{ readonly fired: readonly FiredTimer[]; readonly outbox: readonly OutboxRow[] }> {
  return inTransaction(pool, async (tx) => {
    const events = ends.map((end) => end.events);
    const [locked, rows, now] = await Promise.all([
      lockPositions(tx, consumerName, events),
      lockTimers(tx, taskIds.toSorted()),
      clockOf(tx),
    ]);
    const current = new Map([...positions, ...locked]);
    const fired: FiredTimer[] = [];
    const entries: OutboxEntry[] = [];
    for (const before of rows.values()) {
      const end = ends.find(({ lane }) => isOf(lane, before));
      if (end === undefined || !mayFire(before, readUpTo(end, current))) continue;
      const it = fireTimer(before, { now, eventId: uuidv7() }, values);
      fired.push({ before, fired: it, lateMs: now - before.timer!.due! });
      entries.push(entryOf(it, end));
    }
    const [, outbox] = await Promise.all([
      updateTimers(
        tx,
        fired.map((each) => each.fired.row),
      ),
      addToOutbox(tx, codec, entries),
    ]);
    return { fired, outbox };
  });
}

function isOf(lane: Lane, row: TimerRow): boolean {
  return lane.eventsPartition === row.eventsPartition && lane.type === row.type && lane.priority === row.priority;
}

/** Where a decided event goes, with the end that its target had when it was asked for, which was before. */
export function entryOf({ event }: Pick<Fired, 'event'>, { lane, events, queue }: LaneEnd): OutboxEntry {
  const target = event.event === 'TaskQueued' ? queue[chooseEventsPartition(event.taskId, queue.length)]! : events;
  return { lane, topic: target.topic, partition: target.partition, endOffset: target.end, event };
}
