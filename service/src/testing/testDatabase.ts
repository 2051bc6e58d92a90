import { randomUUID } from 'node:crypto';
import path from 'node:path';
import pg from 'pg';
import { silentLogger } from '../logger.ts';
import { migrate } from '../migrations.ts';
import { createPostgresPool, type Pool, type PostgresOptions } from '../postgres.ts';

/** A database of its own for a test file, on the server of TASKFLOW_POSTGRES_URL. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** A pool on it, closed with the database. */
  pool(options?: Partial<PostgresOptions>): Pool;
  /** Ends every connection to it, as the server does when it stops. */
  disconnectAll(): Promise<void>;
  /** Ends its connections and takes no more, as if the server were away, until `acceptConnections`. */
  refuseConnections(): Promise<void>;
  acceptConnections(): Promise<void>;
  drop(): Promise<void>;
}

/** Makes it, with the tables of these packages. */
export async function createTestDatabase(owners: readonly string[]): Promise<TestDatabase> {
  const server = process.env.TASKFLOW_POSTGRES_URL;
  if (server === undefined) throw new Error('TASKFLOW_POSTGRES_URL is not set: run this test by `make integration`');
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await admin.query(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const root = path.join(import.meta.dirname, '..', '..', '..');
  await migrate({
    url: url.href,
    owners: owners.map((owner) => ({ owner, directory: path.join(root, owner, 'migrations') })),
  });
  const pools: Pool[] = [];
  const disconnectAll = async (): Promise<void> => {
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  };
  return {
    url: url.href,
    name,
    pool(options = {}) {
      const pool = createPostgresPool({ url: url.href, applicationName: 'test', logger: silentLogger, ...options });
      pools.push(pool);
      return pool;
    },
    disconnectAll,
    async refuseConnections() {
      await admin.query(`alter database ${name} with allow_connections false`);
      await disconnectAll();
    },
    async acceptConnections() {
      await admin.query(`alter database ${name} with allow_connections true`);
    },
    async drop() {
      await Promise.all(pools.filter((pool) => !pool.ended).map((pool) => pool.end()));
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
