import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import knex, { type Knex } from 'knex';
import pg from 'pg';

/** Whose tables a folder of `NNN-name.sql` files makes. */
export interface MigrationOwner {
  /** The package's name, without scope: a migration is known as `owner/NNN-name.sql` for ever. */
  readonly owner: string;
  readonly directory: string;
}

export interface MigrateOptions {
  readonly url: string;
  /** Applied in this order; an owner's files by name. Owners don't depend on one another's tables. */
  readonly owners: readonly MigrationOwner[];
}

interface MigrationFile {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** A migration's file is not what was applied, or is not named as it must be. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

const FILE_NAME = /^\d{3}-[a-z0-9-]+\.sql$/;
const TABLE = 'schema_migrations';
const CHECKSUMS = 'schema_migration_checksums';

/** Any number that no other program locks in this database. */
const ADVISORY_LOCK = 7_253_110_417;

/**
 * Applies what is not applied yet, each file in a transaction of its own, and returns the names of what it applied.
 * Two processes that migrate at once wait for each other (an advisory lock). A file that was changed after it was applied is refused: write a new one.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const files = (await Promise.all(options.owners.map(readFiles))).flat();
  return withAdvisoryLock(options.url, async () => {
    const db = knex({ client: 'pg', connection: options.url, pool: { min: 0, max: 1 }, log: quiet });
    try {
      await refuseChanged(db, files);
      return await applyAll(db, files);
    } finally {
      await db.destroy();
    }
  });
}

async function readFiles({ owner, directory }: MigrationOwner): Promise<MigrationFile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (file) => {
      if (!FILE_NAME.test(file)) {
        throw new MigrationError(`Migration ${join(directory, file)}: name it NNN-what-it-does.sql, as 001-tasks.sql`);
      }
      const sql = await readFile(join(directory, file), 'utf8');
      return { name: `${owner}/${file}`, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function withAdvisoryLock<T>(url: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'taskflow-migrate' });
  await client.connect();
  try {
    // The lock ends with its session, so a killed migration leaves none behind.
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    return await work();
  } finally {
    await client.end();
  }
}

async function refuseChanged(db: Knex, files: readonly MigrationFile[]): Promise<void> {
  await db.raw(`create table if not exists ${CHECKSUMS} (name text primary key, sha256 text not null)`);
  const rows = await db<{ name: string; sha256: string }>(CHECKSUMS).select('name', 'sha256');
  const applied = new Map(rows.map((row) => [row.name, row.sha256]));
  for (const file of files) {
    const sha256 = applied.get(file.name);
    if (sha256 !== undefined && sha256 !== file.sha256) {
      throw new MigrationError(
        `Migration ${file.name} was changed after it was applied: restore it, and put the change into a new file`,
      );
    }
  }
}

async function applyAll(db: Knex, files: readonly MigrationFile[]): Promise<string[]> {
  const config: Knex.MigratorConfig = {
    tableName: TABLE,
    migrationSource: sourceOf(files),
    // A process may know only some of the owners.
    disableMigrationsListValidation: true,
  };
  const applied: string[] = [];
  for (;;) {
    // `latest` would put all of them into one transaction.
    const [, names] = (await db.migrate.up(config)) as [number, string[]];
    if (names.length === 0) return applied;
    applied.push(...names);
  }
}

function sourceOf(files: readonly MigrationFile[]): Knex.MigrationSource<MigrationFile> {
  return {
    getMigrations: async () => [...files],
    getMigrationName: (file) => file.name,
    getMigration: async (file) => ({
      async up(tx: Knex) {
        // Knex would take each ? for a place to put a value.
        await tx.raw(file.sql.replaceAll('?', '\\?'));
        await tx(CHECKSUMS).insert({ name: file.name, sha256: file.sha256 });
      },
      async down() {
        throw new MigrationError(`Migration ${file.name} cannot be undone: write a new one that does`);
      },
    }),
  };
}

const quiet: Knex.Logger = { warn() {}, error() {}, debug() {}, deprecate() {} };
