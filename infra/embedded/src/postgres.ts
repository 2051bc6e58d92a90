import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type PostgresHome, postgresHome } from './process/postgresHome.ts';
import { processesIn } from './process/procfs.ts';
import type { Program, SystemUser } from './process/program.ts';
import { type Server, startServer } from './server.ts';

export interface PostgresOptions {
  /** The server's own folder. Made where it is missing; as root its files may lie elsewhere: see `postgresHome.ts`. */
  readonly stateDir: string;
  /** Where clients connect: port, superuser with password, and a database that is made where it is missing. */
  readonly url: string;
  /** Further databases to make. */
  readonly databases?: readonly string[] | undefined;
  /** False trades the survival of a power cut for speed (tests). A killed server loses nothing either way. */
  readonly fsync?: boolean | undefined;
  /** `<stateDir>/postgres.log` unless given. */
  readonly logFile?: string | undefined;
}

export interface Postgres extends Server {
  readonly url: string;
}

/** Starts a PostgreSQL server and resolves when it answers queries. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  return Object.assign(await startServer(postgresProgram(options)), { url: options.url });
}

/** PostgreSQL as a program. */
export function postgresProgram({ stateDir, url, databases = [], fsync = true, logFile }: PostgresOptions): Program {
  const folder = path.resolve(stateDir);
  const port = Number(new URL(url).port);
  return {
    name: 'postgres',
    port,
    logFile: logFile ?? path.join(folder, 'postgres.log'),
    async prepare() {
      const home = await postgresHome(folder);
      if (!existsSync(home.data)) await createCluster(home, url, fsync);
      await untilAbandoned(home.data);
      const settings = {
        port,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        max_connections: 200,
        shared_buffers: '256MB',
        max_wal_size: '2GB',
        // No replica reads along, and the views are rebuilt from the event log rather than from an archive.
        wal_level: 'minimal',
        max_wal_senders: 0,
        jit: 'off',
        timezone: 'UTC',
        log_timezone: 'UTC',
        fsync: fsync ? 'on' : 'off',
      };
      return {
        file: path.join(home.programs, 'postgres'),
        args: ['-D', home.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        env: { ...process.env, LC_ALL: 'C' },
        cwd: home.data,
        user: home.user,
      };
    },
    async ready() {
      await withClient(databaseUrl(url, 'postgres'), (client) => client.query('select 1'));
      return true;
    },
    initialise: () =>
      withClient(databaseUrl(url, 'postgres'), async (client) => {
        for (const name of [new URL(url).pathname.slice(1), ...databases]) await createDatabase(client, name);
      }),
    // SIGINT is its "fast" shutdown: it does not wait for clients to leave.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 10_000,
    crashSignal: 'SIGQUIT',
    readyTimeoutMs: 120_000,
  };
}

/** The same server, another database. */
export function databaseUrl(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

/** Runs something on one connection. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // An error on an idle connection is also that of the next query; unheard it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function createDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
  if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
}

/** Runs `initdb` beside the final folder and renames it in place: an interrupted one leaves nothing half-made. */
async function createCluster({ programs, data, user }: PostgresHome, url: string, fsync: boolean): Promise<void> {
  const { username, password } = new URL(url);
  const unfinished = `${data}.new`;
  const passwordFile = `${data}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(path.dirname(data), { recursive: true });
  await writeFile(passwordFile, `${decodeURIComponent(password)}\n`, { mode: 0o600 });
  if (user !== undefined) await giveTo(user, path.dirname(data), passwordFile);
  try {
    await promisify(execFile)(
      path.join(programs, 'initdb'),
      [
        ...['--pgdata', unfinished, '--username', decodeURIComponent(username)],
        ...['--auth=scram-sha-256', '--pwfile', passwordFile],
        // PostgreSQL's own locale, so that it sorts alike on every system.
        ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
        ...(fsync ? [] : ['--no-sync']),
      ],
      { cwd: path.dirname(data), env: { ...process.env, LC_ALL: 'C' }, ...user },
    );
    await rename(unfinished, data);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function giveTo({ uid, gid }: SystemUser, ...files: string[]): Promise<void> {
  for (const file of files) await chown(file, uid, gid);
}

/** Waits for the backends of a killed server: they notice its death within moments, and no new one may start before. */
async function untilAbandoned(data: string): Promise<void> {
  const folder = await realpath(data);
  for (let attempt = 0; processesIn(folder).length > 0 && attempt < 100; attempt++) await sleep(50);
}
