import type { Logger } from './logger.ts';

/** What a service's `start` gets. */
export interface Lifecycle {
  /** Aborted when the service is asked to stop, also while it still starts. */
  readonly stopping: AbortSignal;
  /** Registers how to stop what was just started. Stops run in reverse order, one after the other. */
  onStop(name: string, stop: () => unknown): void;
  /** Ends the service with code 1, gracefully: for a part that cannot go on, where a restart may help. */
  fail(error: unknown): void;
}

export interface ServiceOptions {
  readonly name: string;
  readonly logger: Logger;
  /** Longest time for all stops together; after it the process ends with code 1. */
  readonly stopTimeoutMs: number;
  /** Starts the parts of the service, and registers with `onStop` how each is stopped. */
  start(lifecycle: Lifecycle): Promise<void>;
}

/**
 * Runs a service as this process: starts it, and stops it on SIGTERM or SIGINT (code 0) or when a part fails (code 1).
 * An unhandled rejection or uncaught exception is one log line and code 1, at once: nothing is known about the process's state then.
 * A second signal ends the process at once.
 */
export function runService(options: ServiceOptions): void {
  const { name, logger } = options;
  const stopping = new AbortController();
  const stops: { name: string; stop: () => unknown }[] = [];
  let ending: { code: number } | undefined;

  const crash = (what: string) => (error: unknown) => {
    logger.error(`${what}, the process ends`, { error });
    exit(1);
  };
  process.on('uncaughtException', crash('Uncaught exception'));
  process.on('unhandledRejection', crash('Unhandled rejection'));

  // Begins when all of this has been set up: a signal may come at any time.
  const started = Promise.resolve().then(() =>
    options.start({
      stopping: stopping.signal,
      onStop: (part, stop) => stops.push({ name: part, stop }),
      fail(error) {
        logger.error(`${name} cannot go on`, { error });
        void end(1);
      },
    }),
  );

  const end = async (code: number) => {
    if (ending) {
      ending.code = Math.max(ending.code, code);
      return;
    }
    ending = { code };
    stopping.abort();
    const limit = setTimeout(() => {
      logger.error(`${name} did not stop within ${options.stopTimeoutMs} ms, the process ends`);
      exit(1);
    }, options.stopTimeoutMs);
    await started.catch(() => {});
    await stopAll(stops, logger, () => {
      if (ending) ending.code = 1;
    });
    clearTimeout(limit);
    logger.info(`${name} stopped`);
    exit(ending.code);
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (ending) exit(1);
      logger.info(`${name} stops on ${signal}`);
      void end(0);
    });
  }

  started.then(
    () => {
      if (!ending) logger.info(`${name} started`);
    },
    (error: unknown) => {
      if (stopping.signal.aborted) return; // it gave up because it was told to
      logger.error(`${name} could not start`, { error });
      void end(1);
    },
  );
}

async function stopAll(
  stops: readonly { name: string; stop: () => unknown }[],
  logger: Logger,
  onFailure: () => void,
): Promise<void> {
  for (const { name, stop } of stops.toReversed()) {
    try {
      await stop();
    } catch (error) {
      logger.error(`${name} did not stop cleanly`, { error });
      onFailure();
    }
  }
}

/** Ends the process after what was logged has left it: a pipe takes what is written to it asynchronously. */
function exit(code: number): void {
  process.exitCode = code;
  if (process.stdout.writableLength === 0) process.exit(code);
  process.stdout.write('', () => process.exit(code));
  setTimeout(() => process.exit(code), 200);
}
