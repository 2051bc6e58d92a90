import type { Codec } from '@taskflow/schemas/codec';
import { isTaskEvent, type TaskEvent } from '@taskflow/schemas/events';
import type { Pool, PoolClient } from 'pg';
import { type Lane, laneParameters } from '../topics.ts';

/** An event that is decided, and where it is to be appended. */
export interface OutboxEntry {
  readonly lane: Lane;
  readonly topic: string;
  readonly partition: number;
  /** Where the target ended when this was decided: what is there already lies at or behind it. */
  readonly endOffset: number;
  readonly event: TaskEvent;
}

export interface OutboxRow extends OutboxEntry {
  readonly id: number;
}

/** Adds rows in the transaction that decides their events (one of a task at most), and gives them with their ids. */
export async function addToOutbox(tx: PoolClient, codec: Codec, entries: readonly OutboxEntry[]): Promise<OutboxRow[]> {
  if (entries.length === 0) return [];
  const { rows } = await tx.query<{ id: number; task_id: string }>({
    name: 'insert-outbox',
    text: `insert into outbox (task_id, type, priority, events_partition, topic, partition, end_offset, value)
      select * from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::bigint[], $8::bytea[])
      returning id, task_id`,
    values: [
      entries.map(({ event }) => event.taskId),
      ...laneParameters(entries.map(({ lane }) => lane)),
      entries.map(({ topic }) => topic),
      entries.map(({ partition }) => partition),
      entries.map(({ endOffset }) => endOffset),
      entries.map(({ event }) => codec.encode(event)),
    ],
  });
  const ids = new Map(rows.map(({ id, task_id }) => [task_id, id]));
  return entries.map((entry) => ({ ...entry, id: ids.get(entry.event.taskId)! }));
}

/** The rows of these lanes that were written so long ago, oldest first; some at a time. */
export async function readOutbox(
  db: Pool,
  codec: Codec,
  lanes: readonly Lane[],
  minAgeMs: number,
): Promise<OutboxRow[]> {
  if (lanes.length === 0) return [];
  const { rows } = await db.query<{
    id: number;
    type: string;
    priority: string;
    events_partition: number;
    topic: string;
    partition: number;
    end_offset: number;
    value: Buffer;
  }>(
    `select id, type, priority, events_partition, topic, partition, end_offset, value from outbox
     where (type, priority, events_partition) in (select * from unnest($1::text[], $2::text[], $3::int[]))
       and written_at <= clock_timestamp() - $4::float8 * interval '1 millisecond'
     order by id limit 10000`,
    [...laneParameters(lanes), minAgeMs],
  );
  return rows.map(({ id, type, priority, events_partition, topic, partition, end_offset, value }) => {
    const event = codec.decode(value);
    if (!isTaskEvent(event)) throw new Error(`Row ${id} of outbox holds ${event.event}, which is no event of a task`);
    const lane = { type, priority, eventsPartition: events_partition };
    return { id, lane, topic, partition, endOffset: end_offset, event };
  });
}

export async function deleteFromOutbox(db: Pool, ids: readonly number[]): Promise<void> {
  await db.query({ name: 'delete-outbox', text: 'delete from outbox where id = any($1::bigint[])', values: [ids] });
}
