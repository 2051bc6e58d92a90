import pg from 'pg';
import type { Logger } from './logger.ts';

export type { Pool, PoolClient } from 'pg';

export interface PostgresOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly logger: Logger;
  /** Most connections at once, 10 by default. PostgreSQL takes 100 of all processes together unless set otherwise. */
  readonly maxConnections?: number;
  /** A statement that takes longer is cancelled, 30 s by default. */
  readonly statementTimeoutMs?: number;
  /** How long to wait for a connection before `query` and `connect` reject, 5 s by default. */
  readonly connectTimeoutMs?: number;
  /** Settings of each session, for example `{ synchronous_commit: 'off' }`. */
  readonly session?: Readonly<Record<string, string>>;
  /** Send statements without waiting for the answers to those before (see `pg`'s pipeline mode). */
  readonly pipeline?: boolean;
}

const INT8_OID = 20;
const TIMESTAMPTZ_OID = 1184;

// Everything that this project keeps as bigint (versions, offsets, counts, milliseconds) is below 2^53; silently wrong numbers would be worse than an error.
function parseInt8(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`bigint ${value} is not a safe JavaScript number`);
  return number;
}

/** Milliseconds, as everywhere in this project. Sessions run in UTC, so that the text always ends with +00. */
function parseTimestamptz(value: string): number {
  return Date.parse(`${value.slice(0, 10)}T${value.slice(11, -3)}Z`);
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary' && oid === INT8_OID) return parseInt8;
    if (format !== 'binary' && oid === TIMESTAMPTZ_OID) return parseTimestamptz;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/**
 * A pool that connects when it is first used. `bigint` comes as `number`, `timestamptz` as milliseconds since 1970.
 * An idle connection that breaks is logged and replaced; while PostgreSQL is away, queries reject and nothing else happens.
 */
export function createPostgresPool(options: PostgresOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    // Locks of a process that froze inside a transaction must not last.
    idle_in_transaction_session_timeout: 60_000,
    pipeline: options.pipeline ?? false,
    types,
    options: sessionOptions({ TimeZone: 'UTC', ...options.session }),
  });
  pool.on('error', (error) => options.logger.warn('An idle PostgreSQL connection ended', { error: error.message }));
  return pool;
}

function sessionOptions(session: Readonly<Record<string, string>>): string {
  return Object.entries(session)
    .map(([name, value]) => `-c ${name}=${value.replace(/([\\ ])/g, '\\$1')}`)
    .join(' ');
}

/** Ends `pool` and its idle connections; those in use first come back. */
export async function closePostgresPool(pool: pg.Pool): Promise<void> {
  if (!pool.ended) await pool.end();
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
export async function inTransaction<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener, a connection that breaks between two statements would be an uncaught exception.
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    const begun = client.query('begin');
    // A pipelining connection takes the first statements of `work` along; where `begin` fails, they do too.
    if (client.pipeline) begun.catch(() => {});
    else await begun;
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failed: Error) => {
      broken ??= failed;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** Whether the same work may succeed when it is tried again: the server is away or stopping, or two transactions got in each other's way. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string') return /connection|timeout|terminated/i.test(error.message);
  if (/^[0-9A-Z]{5}$/.test(code)) return TRANSIENT_CLASSES.has(code.slice(0, 2)) || TRANSIENT_CODES.has(code);
  return true; // a code of the operating system: ECONNREFUSED, ECONNRESET, …
}

/** Whether PostgreSQL ended the transaction for the sake of another one (deadlock, serialization): at once again, it works. */
export function isConflict(error: unknown): boolean {
  return stateOf(error)?.startsWith('40') ?? false;
}

/** Whether a row was inserted whose key was there. */
export function isUniqueViolation(error: unknown): boolean {
  return stateOf(error) === '23505';
}

/** The SQLSTATE that the server gave; undefined for what is no answer of it. */
function stateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

// Classes of SQLSTATE: connection exception, transaction rollback (serialization, deadlock), insufficient resources, operator intervention, system error.
const TRANSIENT_CLASSES = new Set(['08', '40', '53', '57', '58']);
/** lock_not_available, idle_in_transaction_session_timeout, read_only_sql_transaction (a standby). */
const TRANSIENT_CODES = new Set(['55P03', '25P03', '25006']);
