import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { databaseUrl, withClient } from './postgres.ts';
import { mongoServer } from './process/artifacts.ts';
import { askPort } from './process/probe.ts';
import type { Program } from './process/program.ts';
import { type Server, startServer } from './server.ts';

export interface MongoOptions {
  /** Folder of the log. Made where it is missing. */
  readonly stateDir: string;
  readonly port: number;
  /** The PostgreSQL server under it, on which the database {@link mongoDatabase} exists. */
  readonly postgresUrl: string;
  /** `<stateDir>/mongo.log` unless given. */
  readonly logFile?: string | undefined;
}

export interface Mongo extends Server {
  readonly url: string;
}

/** The PostgreSQL database in which the MongoDB-wire server keeps everything. */
export const mongoDatabase = 'ferretdb';

/** Starts a server that speaks MongoDB's wire protocol (FerretDB on PostgreSQL) and resolves when it answers. */
export async function startMongo(options: MongoOptions): Promise<Mongo> {
  return Object.assign(await startServer(mongoProgram(options)), { url: `mongodb://127.0.0.1:${options.port}` });
}

/** The MongoDB-wire server as a program. */
export function mongoProgram({ stateDir, port, postgresUrl, logFile }: MongoOptions): Program {
  const folder = path.resolve(stateDir);
  const backend = databaseUrl(postgresUrl, mongoDatabase);
  return {
    name: 'mongo',
    port,
    logFile: logFile ?? path.join(folder, 'mongo.log'),
    async prepare() {
      await mkdir(folder, { recursive: true });
      await indexEqualityLookups(backend);
      return { file: mongoServer(), args: [`127.0.0.1:${port}`, backend], cwd: folder };
    },
    ready: () => answersPing(port),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 5_000,
    readyTimeoutMs: 30_000,
  };
}

/**
 * Lets PostgreSQL serve FerretDB's look-ups by index: each index that FerretDB makes gets a twin of the kind that its
 * queries can use (why: `sql/index-equality-lookups.sql`). Holds for collections made later, too.
 */
export async function indexEqualityLookups(backendUrl: string): Promise<void> {
  const statements = await readFile(path.resolve(import.meta.dirname, '../sql/index-equality-lookups.sql'), 'utf8');
  await withClient(backendUrl, (client) => client.query(statements));
}

/** Whether the server answers `{ ping: 1, $db: 'admin' }` with an `ok` of 1. */
async function answersPing(port: number): Promise<boolean> {
  const document = Buffer.from('\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0', 'latin1');
  const request = Buffer.alloc(16 + 4 + 1 + 4);
  request.writeInt32LE(request.length + document.length, 0);
  request.writeInt32LE(1, 4);
  request.writeInt32LE(2013, 12); // OP_MSG; then no flags, and one section of kind 0: a document
  request.writeInt32LE(document.length + 4, 21);
  const answer = await askPort(
    port,
    Buffer.concat([request, document]),
    (bytes) => bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0),
  );
  const ok = answer.indexOf('\x01ok\0', 0, 'latin1');
  return ok >= 0 && answer.readDoubleLE(ok + 4) === 1;
}
