import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { guardFolder, unguardFolder } from './guard.ts';
import { outsidePostgresFolder } from './postgresHome.ts';

export interface TemporaryState {
  readonly folder: string;
  /** Removes it, and what PostgreSQL may have had to keep outside. */
  remove(): Promise<void>;
}

/** Makes a state folder that goes with this process, however that ends. PostgreSQL's own folder in it is `postgres`. */
export async function temporaryState(): Promise<TemporaryState> {
  const folder = await mkdtemp(path.join(tmpdir(), 'taskflow-test-'));
  await letThrough(folder);
  const all = [folder, outsidePostgresFolder(path.join(folder, 'postgres'))];
  for (const each of all) guardFolder(each);
  return {
    folder,
    async remove() {
      for (const each of all) {
        await rm(each, { recursive: true, force: true });
        unguardFolder(each);
      }
    },
  };
}

/** Lets PostgreSQL's user pass through a folder when root runs the system; a temporary folder is closed to others. */
export async function letThrough(folder: string): Promise<void> {
  await chmod(folder, 0o711);
}
