import { within } from '@taskflow/service/within';
import type { ChangeSignals } from './changeSignals.ts';

/** Next offsets by partition (`topic/partition`). */
export type Positions = ReadonlyMap<string, number>;

interface Sources {
  /** Where the log of all tasks ends now. */
  logEnds(): Promise<Positions>;
  /** How far the view has applied it. */
  viewPositions(): Promise<Positions>;
  readonly signals: Pick<ChangeSignals, 'nextFlush'>;
}

/** How long a wait goes without looking when no flush is told (Redis is away, or the log is idle). */
const LOOK_EVERY_MS = 50;

/**
 * Tells when the view shows all that the log held at a moment. Offsets are compared, not times, so it answers on an idle
 * log too. However many requests wait, one question at a time goes to Kafka and one to PostgreSQL.
 */
export class ViewPositions {
  readonly #sources: Sources;
  readonly #logEnds: () => Promise<Positions>;
  readonly #viewPositions: () => Promise<Positions>;

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#logEnds = freshOnly(() => sources.logEnds());
    this.#viewPositions = freshOnly(() => sources.viewPositions());
  }

  /** Whether the view has passed the log's end as of this call, waiting for it at most `limitMs`. */
  async passed(limitMs: number, stop?: { readonly stopped: boolean }): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    const ends = await within(limitMs, this.#logEnds());
    if (ends === undefined) return false;
    for (;;) {
      if (hasPassed(await this.#viewPositions(), ends)) return true;
      const left = deadline - performance.now();
      if (left <= 0 || stop?.stopped === true) return false;
      await this.#sources.signals.nextFlush(Math.min(LOOK_EVERY_MS, left));
    }
  }
}

function hasPassed(positions: Positions, ends: Positions): boolean {
  for (const [partition, end] of ends) {
    if (end > (positions.get(partition) ?? 0)) return false;
  }
  return true;
}

/**
 * Gathers calls: those that come while a question is under way share the next one, never the present one, whose answer
 * may be older than the call.
 */
export function freshOnly<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  const start = (): Promise<T> => {
    const run = ask();
    const settled = run.then(
      () => {},
      () => {},
    );
    running = settled;
    void settled.then(() => {
      if (running === settled) running = undefined;
    });
    return run;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running.then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}
