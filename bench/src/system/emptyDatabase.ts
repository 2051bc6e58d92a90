import path from 'node:path';
import { migrate } from '@taskflow/service/migrations';
import pg from 'pg';

/** Makes a database of that name with the tables of the views on a server, and drops it after `work`. */
export async function withEmptyDatabase<T>(
  serverUrl: string,
  name: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  try {
    await admin.query(`create database ${name}`);
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    const root = path.join(import.meta.dirname, '../../..');
    await migrate({
      url: url.href,
      owners: ['service', 'projector'].map((owner) => ({ owner, directory: path.join(root, owner, 'migrations') })),
    });
    return await work(url.href);
  } finally {
    await admin.query(`drop database if exists ${name}`);
    await admin.end();
  }
}
