import type { Logger } from '@taskflow/service/logger';
import type { Metrics } from '@taskflow/service/metrics';

/** What one sweep removed, by the reason: `expired`, … */
export type Swept = { readonly [reason: string]: number };

export interface SweepingOptions {
  /** What is swept, as metrics and log lines name it, and how. */
  readonly stores: Readonly<Record<string, () => Promise<Swept>>>;
  readonly intervalMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Sweeps stores again and again, the first time after one interval. A sweep that fails is made up for by the next. */
export function startSweeping({ stores, intervalMs, logger, metrics }: SweepingOptions): { stop(): Promise<void> } {
  const removed = metrics.counter('sweep_removed_total', 'What sweeps removed.', ['store', 'reason']);
  const failures = metrics.counter('sweep_failures_total', 'Sweeps that failed.', ['store']);
  let sweep: Promise<void> = Promise.resolve();
  let stopped = false;
  const run = async (store: string, sweepStore: () => Promise<Swept>): Promise<void> => {
    try {
      const swept = await sweepStore();
      for (const [reason, count] of Object.entries(swept)) removed.inc({ store, reason }, count);
      if (Object.values(swept).some((count) => count > 0)) logger.info('A store was swept', { store, ...swept });
    } catch (error) {
      if (stopped) return;
      failures.inc({ store });
      logger.warn('A sweep failed', { store, error });
    }
  };
  const timer = setInterval(() => {
    for (const [store, sweepStore] of Object.entries(stores)) {
      sweep = sweep.then(() => (stopped ? undefined : run(store, sweepStore)));
    }
  }, intervalMs);
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await sweep;
    },
  };
}
