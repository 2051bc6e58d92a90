/** When a batch is written. */
export interface Pacing {
  /** Under load a batch waits until it is this old, so that a task's events mostly meet in one write. */
  readonly maxWaitMs: number;
  /** A batch of this many records does not wait. */
  readonly enoughRecords: number;
  /** After a flush of fewer records than this the consumer counts as idle, and the next batch is written at once. */
  readonly idleRecords: number;
  /** A batch of this many records, or of this many bytes of values, takes no more until the flush before it has ended. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** A batch in which nothing concerns the consumer, so that only its positions would be written, waits this long: as long as others if absent. */
  readonly quietMs?: number;
  /** How long a batch lingers, while little comes, that holds nothing but events that may wait for what follows them (`Effects.mayWait`). */
  readonly lingerMs: number;
}

export const DEFAULT_PACING: Pacing = {
  maxWaitMs: 30,
  enoughRecords: 3_000,
  idleRecords: 100,
  maxRecords: 4_000,
  maxBytes: 8 * 1024 * 1024,
  lingerMs: 10,
};

/** What flushing goes by. */
export interface BatchFigures {
  /** In milliseconds since 1970. */
  readonly openedAt: number;
  readonly records: number;
  /** Of the records those that concern the consumer. */
  readonly events: number;
  /** Of the events those that may not wait. */
  readonly pressing: number;
}

/** How long an open batch waits before it is written, given how many records the flush before it had. */
export function flushDelayMs(pacing: Pacing, batch: BatchFigures, lastFlushRecords: number, now: number): number {
  if (batch.records >= pacing.enoughRecords) return 0;
  const quietMs = batch.events === 0 ? pacing.quietMs : undefined;
  if (quietMs !== undefined) return within(quietMs, batch.openedAt + quietMs - now);
  const isIdle = lastFlushRecords < pacing.idleRecords && batch.records < pacing.idleRecords;
  if (isIdle && (batch.pressing > 0 || batch.events === 0)) return 0;
  const waitMs = isIdle ? pacing.lingerMs : pacing.maxWaitMs;
  return within(waitMs, batch.openedAt + waitMs - now);
}

/** The clock may have been set: no wait is longer than its bound. */
function within(maxMs: number, ms: number): number {
  return Math.min(Math.max(ms, 0), maxMs);
}

/** Whether a batch is so large that whoever delivers more must wait. What is `urgent` finds as much room again. */
export function isFull(
  pacing: Pacing,
  batch: { readonly records: number; readonly bytes: number },
  urgent = false,
): boolean {
  const share = urgent ? 0.5 : 1;
  return share * batch.records >= pacing.maxRecords || share * batch.bytes >= pacing.maxBytes;
}
