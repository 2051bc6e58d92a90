import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { type MigrationOwner, migrate } from './migrations.ts';
import { logSettings, postgresSettings } from './settings.ts';

/** Every package of the project that has a folder `migrations/`, this one first. */
function migrationOwners(root: string): MigrationOwner[] {
  return readdirSync(root)
    .map((owner) => ({ owner, directory: join(root, owner, 'migrations') }))
    .filter(({ directory }) => existsSync(directory))
    .sort((a, b) => Number(b.owner === 'service') - Number(a.owner === 'service') || a.owner.localeCompare(b.owner));
}

const config = loadConfig({ ...postgresSettings, ...logSettings });
const logger = createLogger({ service: 'migrate', level: config.logLevel });
const root = join(import.meta.dirname, '..', '..');

try {
  const applied = await migrate({ url: config.postgresUrl, owners: migrationOwners(root) });
  logger.info(applied.length === 0 ? 'The database is up to date' : 'The database was migrated', { applied });
} catch (error) {
  logger.error('The database could not be migrated', { error });
  process.exitCode = 1;
}
