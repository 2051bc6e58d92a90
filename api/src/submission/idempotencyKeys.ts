import type { Pool } from 'pg';

/** The tasks that a key stands for. */
export interface KeyedTasks {
  readonly ids: readonly string[];
  readonly eventsPartitions: readonly number[];
  readonly createdAt: number;
}

/** What the caller of `claim` has to do. */
export type Claim =
  /** Append these tasks, then call `settle`. `again`: somebody may have done so already, so mark them for a check. */
  | { readonly kind: 'append'; readonly again: boolean; readonly tasks: KeyedTasks }
  /** The log has them. */
  | { readonly kind: 'appended'; readonly tasks: KeyedTasks }
  /** Somebody is appending them: ask again in a moment. */
  | { readonly kind: 'busy' }
  /** The key was used with another body. */
  | { readonly kind: 'conflict' };

export interface KeyedSubmission {
  readonly userId: string;
  readonly key: string;
  readonly bodyHash: string;
  readonly tasks: KeyedTasks;
}

export interface IdempotencyKeys {
  /** One of many at once gets `append`, the others `busy` until it has settled; after a crash, the first to come again. */
  claim(submission: KeyedSubmission): Promise<Claim>;
  /** Notes that the log has the tasks (`appended`), or lets the next one try (`failed`: it may have them all the same). */
  settle(userId: string, key: string, firstId: string, outcome: 'appended' | 'failed'): Promise<void>;
  /** Keeps a claim while the append goes on: to be called well within `claimMs`. */
  renew(userId: string, key: string, firstId: string): Promise<void>;
  /** Deletes a bounded number of expired keys; gives how many. */
  sweep(): Promise<number>;
}

interface Options {
  /** How long the one who appends is waited for when nothing is heard of it. */
  readonly claimMs: number;
  readonly keepMs: number;
}

const SWEEP_AT_ONCE = 5_000;

const INSERT = {
  name: 'idempotency-insert',
  text: `
    insert into idempotency_keys as k
      (user_id, key, body_hash, task_ids, events_partitions, created_at, claimed_until, expires_at)
    values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 ms', now() + $8 * interval '1 ms')
    on conflict (user_id, key) do update set
      body_hash = excluded.body_hash, task_ids = excluded.task_ids, events_partitions = excluded.events_partitions,
      created_at = excluded.created_at, claimed_until = excluded.claimed_until, expires_at = excluded.expires_at,
      appended_at = null
    where k.expires_at <= now()
    returning true`,
};

const READ = {
  name: 'idempotency-read',
  text: `
    select body_hash, task_ids, events_partitions, created_at, appended_at is not null as appended,
           claimed_until <= now() as abandoned
    from idempotency_keys where user_id = $1 and key = $2`,
};

const TAKE_OVER = {
  name: 'idempotency-take-over',
  text: `
    update idempotency_keys set claimed_until = now() + $4 * interval '1 ms'
    where user_id = $1 and key = $2 and body_hash = $3 and appended_at is null and claimed_until <= now()
    returning task_ids, events_partitions, created_at`,
};

const SETTLE = {
  appended: {
    name: 'idempotency-appended',
    text: `update idempotency_keys set appended_at = now() where user_id = $1 and key = $2 and task_ids[1] = $3`,
  },
  failed: {
    name: 'idempotency-failed',
    text: `update idempotency_keys set claimed_until = now()
           where user_id = $1 and key = $2 and task_ids[1] = $3 and appended_at is null`,
  },
};

const RENEW = {
  name: 'idempotency-renew',
  text: `update idempotency_keys set claimed_until = now() + $4 * interval '1 ms'
         where user_id = $1 and key = $2 and task_ids[1] = $3 and appended_at is null`,
};

interface Row {
  readonly task_ids: string[];
  readonly events_partitions: number[];
  readonly created_at: number;
}

/**
 * Idempotency keys in PostgreSQL. Times are compared by its clock alone, so the clocks of several apis need not agree;
 * a claim whose holder is only slow, not dead, does no harm either: the second copy carries `check`.
 */
export function idempotencyKeys(pool: Pool, options: Options): IdempotencyKeys {
  return {
    async claim({ userId, key, bodyHash, tasks }) {
      const inserted = await pool.query({
        ...INSERT,
        values: [
          userId,
          key,
          bodyHash,
          tasks.ids,
          tasks.eventsPartitions,
          new Date(tasks.createdAt),
          options.claimMs,
          options.keepMs,
        ],
      });
      if (inserted.rowCount === 1) return { kind: 'append', again: false, tasks };
      const { rows } = await pool.query<Row & { body_hash: string; appended: boolean; abandoned: boolean }>({
        ...READ,
        values: [userId, key],
      });
      const row = rows[0];
      // Swept between the two statements: the next try inserts it.
      if (row === undefined) return { kind: 'busy' };
      if (row.body_hash !== bodyHash) return { kind: 'conflict' };
      if (row.appended) return { kind: 'appended', tasks: keyedTasks(row) };
      if (!row.abandoned) return { kind: 'busy' };
      const taken = await pool.query<Row>({ ...TAKE_OVER, values: [userId, key, bodyHash, options.claimMs] });
      const mine = taken.rows[0];
      return mine === undefined ? { kind: 'busy' } : { kind: 'append', again: true, tasks: keyedTasks(mine) };
    },
    async settle(userId, key, firstId, outcome) {
      await pool.query({ ...SETTLE[outcome], values: [userId, key, firstId] });
    },
    async renew(userId, key, firstId) {
      await pool.query({ ...RENEW, values: [userId, key, firstId, options.claimMs] });
    },
    async sweep() {
      const { rowCount } = await pool.query(
        `delete from idempotency_keys where (user_id, key) in
           (select user_id, key from idempotency_keys where expires_at <= now() limit ${SWEEP_AT_ONCE})
           and expires_at <= now()`,
      );
      return rowCount ?? 0;
    },
  };
}

function keyedTasks(row: Row): KeyedTasks {
  return { ids: row.task_ids, eventsPartitions: row.events_partitions, createdAt: row.created_at };
}
