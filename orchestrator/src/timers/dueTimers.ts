import type { Pool } from 'pg';
import { type Lane, laneParameters } from '../topics.ts';

export interface DueTimer {
  readonly taskId: string;
  readonly lane: Lane;
  readonly kind: string;
  readonly due: number;
}

export interface DueTimers {
  /** The clock of the timers, from when they were asked for. */
  readonly now: number;
  /** The earliest that are due, at most `limit`. */
  readonly due: readonly DueTimer[];
  /** How long until the next one is; undefined where there is none. */
  readonly nextInMs: number | undefined;
}

/** Looks for what is due in these lanes, along the index on `due_at`. */
export async function readDueTimers(db: Pool, lanes: readonly Lane[], limit: number): Promise<DueTimers> {
  const { rows } = await db.query<{
    task_id: string;
    type: string;
    priority: string;
    events_partition: number;
    kind: string;
    due_at: number;
    now: number;
    is_due: boolean;
  }>({
    name: 'due-timers',
    text: `(select task_id, type, priority, events_partition, kind, due_at, statement_timestamp() as now, true as is_due
        from timers
        where due_at <= statement_timestamp()
          and (type, priority, events_partition) in (select * from unnest($1::text[], $2::text[], $3::int[]))
        order by due_at limit $4)
      union all
      (select task_id, type, priority, events_partition, kind, due_at, statement_timestamp(), false
        from timers
        where due_at > statement_timestamp()
          and (type, priority, events_partition) in (select * from unnest($1::text[], $2::text[], $3::int[]))
        order by due_at limit 1)`,
    values: [...laneParameters(lanes), limit],
  });
  const due = rows
    .filter(({ is_due }) => is_due)
    .map(({ task_id, type, priority, events_partition, kind, due_at }) => ({
      taskId: task_id,
      lane: { type, priority, eventsPartition: events_partition },
      kind,
      due: due_at,
    }));
  const next = rows.find(({ is_due }) => !is_due);
  return {
    now: rows[0]?.now ?? 0,
    due,
    nextInMs: next === undefined ? undefined : Math.max(0, next.due_at - next.now),
  };
}
