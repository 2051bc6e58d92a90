import type { Logger } from '@taskflow/service/logger';

/** Does something again and again, the first time after one interval; never twice at once. What fails is made up for by the next time. */
export function repeatedly(intervalMs: number, logger: Logger, work: () => Promise<void>): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: unknown) => logger.warn('A periodic duty failed, it is done again', { error }))
      .finally(() => {
        running = undefined;
      });
  }, intervalMs);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
