import type { Logger } from '@taskflow/service/logger';
import type { Pool } from '@taskflow/service/postgres';
import type { Db } from 'mongodb';
import { sweepDocuments } from './sweep.ts';

export interface SweepingOptions {
  readonly db: Db;
  readonly pool: Pool;
  readonly intervalMs: number;
  readonly logger: Logger;
}

/** Sweeps the Mongo views again and again, the first time after one interval. A sweep that fails is made up for by the next. */
export function startSweeping({ db, pool, intervalMs, logger }: SweepingOptions): { stop(): Promise<void> } {
  let sweep: Promise<void> = Promise.resolve();
  let stopped = false;
  const run = async (): Promise<void> => {
    try {
      const swept = await sweepDocuments({ db, pool, now: Date.now() });
      if (swept.expired + swept.unnamed > 0) logger.info('The Mongo views were swept', { ...swept });
    } catch (error) {
      if (!stopped) logger.warn('A sweep of the Mongo views failed', { error });
    }
  };
  const timer = setInterval(() => {
    sweep = sweep.then(run);
  }, intervalMs);
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await sweep;
    },
  };
}
