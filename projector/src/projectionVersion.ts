import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { Logger } from '@taskflow/service/logger';
import { isTransient, type Pool } from '@taskflow/service/postgres';

const BACKOFF = { baseMs: 200, capMs: 5_000 };

/**
 * Holds a projection to the version that its view has in the database (the first to come sets it). Rejects where they differ:
 * what one version has written another must not go on with. Waits while PostgreSQL is away.
 */
export async function requireVersion(
  pool: Pool,
  { name, version }: { readonly name: string; readonly version: number },
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await pool.query('insert into projections (name, version) values ($1, $2) on conflict do nothing', [
        name,
        version,
      ]);
      const { rows } = await pool.query<{ version: number }>('select version from projections where name = $1', [name]);
      const found = rows[0]?.version;
      if (found === version) return;
      throw new Error(
        `The view ${name} is of version ${found}, this program writes version ${version}: rebuild the view`,
      );
    } catch (error) {
      if (!isTransient(error)) throw error;
      logger.warn('PostgreSQL is away, the projection waits for it', { error });
      await delay(backoffMs(attempt, BACKOFF), undefined, { signal });
    }
  }
}
