import { setTimeout as delay } from 'node:timers/promises';
import { isRetriable } from './errors.ts';

export interface BackoffSettings {
  /** Upper bound of the first pause, doubled for each one after it. */
  readonly baseMs: number;
  /** No pause is longer. */
  readonly capMs: number;
}

/** Fast enough to notice a restarted broker within its first moments, slow enough for hundreds of clients at once. */
export const defaultBackoff: BackoffSettings = { baseMs: 50, capMs: 2_000 };

/**
 * The pause before attempt `attempt` (1 is the first repetition): a random time between 0 and the doubled bound ("full
 * jitter"), so that clients which lost the same broker do not come back in step.
 */
export function backoffMs(attempt: number, { baseMs, capMs } = defaultBackoff, random = Math.random): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
}

/**
 * The pause after so many failures in a row where the first repetition is not to wait: a connection that was cut is mostly there
 * again at once, and others may be waiting for what is said.
 */
export function eagerBackoffMs(failures: number, settings = defaultBackoff, random = Math.random): number {
  return failures <= 1 ? 0 : backoffMs(failures - 1, settings, random);
}

export interface RetryOptions {
  /** No new attempt starts after this time; the last error is thrown then. */
  readonly forMs: number;
  readonly signal?: AbortSignal;
  /** Which errors are worth another attempt; `isRetriable` unless set. */
  readonly when?: (error: unknown) => boolean;
  /** Called before each pause: for a log line, or a refresh of metadata. */
  readonly onRetry?: (error: unknown, attempt: number) => void | Promise<void>;
  readonly backoff?: BackoffSettings;
}

/** Does `work` until it succeeds, fails for good, the time is up or the signal aborts. */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { forMs, signal, when = isRetriable, onRetry, backoff } = options;
  const deadline = Date.now() + forMs;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const pause = backoffMs(attempt, backoff);
      if (!when(error) || Date.now() + pause > deadline) throw error;
      await onRetry?.(error, attempt);
      await delay(pause, undefined, { signal });
    }
  }
}
