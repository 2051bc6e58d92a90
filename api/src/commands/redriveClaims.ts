import type { Pool } from 'pg';

/** A redrive that somebody wants to make: the generation that it opens, and the event that it would append. */
export interface RedriveIntent {
  readonly taskId: string;
  readonly generation: number;
  readonly eventId: string;
}

/** Who opens the generation. Whoever takes a claim over appends what the first one meant to. */
export interface RedriveBy {
  readonly actor: string;
  readonly reason: string | null;
}

/** What the caller of `claim` has to do for a task. */
export type RedriveClaim =
  /** Append, then call `settle`. `again`: somebody may have done so already, so mark it for a check. */
  | {
      readonly kind: 'append';
      readonly again: boolean;
      readonly eventId: string;
      readonly by: RedriveBy;
      readonly at: number;
    }
  /** The log has it, under this event id. */
  | { readonly kind: 'appended'; readonly eventId: string }
  /** Somebody is appending it: ask again in a moment. */
  | { readonly kind: 'busy'; readonly eventId: string };

/** Rows (task, generation): of all who want to open a generation, one appends. */
export interface RedriveClaims {
  /** One statement for all of them; by task. */
  claim(intents: readonly RedriveIntent[], by: RedriveBy): Promise<ReadonlyMap<string, RedriveClaim>>;
  /** Notes that the log has them (`appended`), or lets the next one try (`failed`: it may have them all the same). */
  settle(intents: readonly Omit<RedriveIntent, 'eventId'>[], outcome: 'appended' | 'failed'): Promise<void>;
  /** Deletes a bounded number of rows that nobody can ask for any more; gives how many. */
  sweep(): Promise<number>;
}

interface Options {
  /** How long whoever appends is waited for: longer than an append can take. */
  readonly claimMs: number;
}

const SWEEP_AT_ONCE = 5_000;
/** A view that still shows the old generation after this long is away, and then nothing is redriven. */
const KEPT_FOR = "interval '1 day'";

const wanted = 'unnest($1::uuid[], $2::int[], $3::uuid[]) as wanted(task_id, generation, event_id)';
const claimed = 'task_id, event_id, actor, reason, created_at';

const CLAIM = {
  name: 'redrive-claim',
  text: `
    with fresh as (
      insert into redrive_claims (task_id, generation, event_id, actor, reason, claimed_until)
      select task_id, generation, event_id, $4, $5, now() + $6 * interval '1 ms' from ${wanted} order by task_id
      on conflict do nothing
      returning ${claimed}),
    taken_over as (
      update redrive_claims claim set claimed_until = now() + $6 * interval '1 ms'
      from (select task_id as id, generation as opened from ${wanted}) as wanted
      where claim.task_id = wanted.id and claim.generation = wanted.opened
        and claim.appended_at is null and claim.claimed_until <= now()
      returning ${claimed})
    select ${claimed}, false as again from fresh union all select ${claimed}, true from taken_over`,
};

const READ = {
  name: 'redrive-read',
  text: `select task_id, event_id, appended_at is not null as appended from redrive_claims
         where (task_id, generation) in (select * from unnest($1::uuid[], $2::int[]))`,
};

const SETTLE = {
  appended: {
    name: 'redrive-appended',
    text: `update redrive_claims set appended_at = now()
           where (task_id, generation) in (select * from unnest($1::uuid[], $2::int[]))`,
  },
  failed: {
    name: 'redrive-failed',
    text: `update redrive_claims set claimed_until = now()
           where (task_id, generation) in (select * from unnest($1::uuid[], $2::int[])) and appended_at is null`,
  },
};

interface Row {
  readonly task_id: string;
  readonly event_id: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly created_at: number;
  readonly again: boolean;
}

/** Claims in PostgreSQL, judged by its clock alone, as those of idempotency keys are. */
export function redriveClaims(pool: Pool, { claimMs }: Options): RedriveClaims {
  return {
    async claim(intents, { actor, reason }) {
      const ids = intents.map(({ taskId }) => taskId);
      const generations = intents.map(({ generation }) => generation);
      const eventIds = intents.map(({ eventId }) => eventId);
      const { rows } = await pool.query<Row>({
        ...CLAIM,
        values: [ids, generations, eventIds, actor, reason, claimMs],
      });
      const claims = new Map<string, RedriveClaim>();
      for (const row of rows) {
        const by = { actor: row.actor, reason: row.reason };
        claims.set(row.task_id, { kind: 'append', again: row.again, eventId: row.event_id, by, at: row.created_at });
      }
      if (claims.size === intents.length) return claims;
      const others = await pool.query<{ task_id: string; event_id: string; appended: boolean }>({
        ...READ,
        values: [ids, generations],
      });
      for (const { task_id, event_id, appended } of others.rows) {
        if (!claims.has(task_id)) claims.set(task_id, { kind: appended ? 'appended' : 'busy', eventId: event_id });
      }
      return claims;
    },
    async settle(intents, outcome) {
      const ids = intents.map(({ taskId }) => taskId);
      await pool.query({ ...SETTLE[outcome], values: [ids, intents.map(({ generation }) => generation)] });
    },
    async sweep() {
      const { rowCount } = await pool.query(
        `delete from redrive_claims where (task_id, generation) in
           (select task_id, generation from redrive_claims where created_at <= now() - ${KEPT_FOR} limit ${SWEEP_AT_ONCE})`,
      );
      return rowCount ?? 0;
    },
  };
}
