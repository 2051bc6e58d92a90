import type { LogRecord } from '@taskflow/log/logRecord';
import { partitionKey } from '@taskflow/service/positions';

/** Where records of a queue partition begin that are to be folded. */
export interface QueueSlice {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
}

export interface QueuePacing {
  /** A start of the queue's record at this offset was folded. */
  started(topic: string, partition: number, offset: number): void;
  /** When to fold this slice; undefined: now. Slices of one partition come one after the other. */
  due(slice: QueueSlice): Promise<void> | undefined;
  /** Whether the starts have nearly come to this slice: it must not come behind them. */
  isReached(slice: QueueSlice): boolean;
  /** Nothing waits any longer, nor will until starts have been folded again. */
  release(): void;
}

export interface QueuePacingOptions {
  /** No slice waits longer, nor at all where the starts would not reach it within this. */
  readonly longestMs?: number;
  /** How many records the queue is folded ahead of the starts. */
  readonly leadRecords?: number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/** How far the starts have come in a partition of a queue, and how fast. */
interface Progress {
  reached: number;
  /** Starts in a millisecond, in the last window that is over. */
  rate: number;
  windowBegan: number;
  windowStarts: number;
  waiting: { readonly firstOffset: number; readonly fold: () => void } | undefined;
}

const WINDOW_MS = 200;
/** From five hundred tasks a second on it matters how often a row is written. */
const BUSY_RATE = 0.5;
const LONGEST_MS = 1_000;
/** As many as may come with one delivery of events. */
const LEAD_RECORDS = 500;

/**
 * Lets the queue be folded little ahead of the events, so that a row is written once, with all that happened to its task, and not
 * first as `queued`. Each start names the offset of its record in the queue: while they come fast, a slice waits until they have nearly
 * come to it. A backlog that they would not get through soon is folded at once and shown as `queued`, and so is everything where
 * little happens, or where the events are read by another instance.
 *
 * Each partition is still folded in its order, and nothing of it is left out: it is read a little later.
 */
export function createQueuePacing(options: QueuePacingOptions = {}): QueuePacing {
  const { longestMs = LONGEST_MS, leadRecords = LEAD_RECORDS, now = () => performance.now() } = options;
  const partitions = new Map<string, Progress>();
  /** What the start before was of: mostly the next one is of the same. */
  let last: { readonly topic: string; readonly partition: number; readonly progress: Progress } | undefined;

  /** Which start lets a slice be folded. */
  const awaited = (firstOffset: number): number => firstOffset - leadRecords;

  /** Closes the window if it is over. Up at once, and down by half a window: starts come in bunches, at times far apart. */
  function rateOf(progress: Progress): number {
    const elapsed = now() - progress.windowBegan;
    const rate = progress.windowStarts / Math.max(elapsed, WINDOW_MS);
    if (elapsed < WINDOW_MS) return Math.max(rate, progress.rate);
    progress.rate = Math.max(rate, progress.rate / 2);
    progress.windowBegan = now();
    progress.windowStarts = 0;
    return progress.rate;
  }

  function progressOf(topic: string, partition: number): Progress {
    if (last?.topic === topic && last.partition === partition) return last.progress;
    const key = partitionKey(topic, partition);
    let progress = partitions.get(key);
    if (progress === undefined) {
      progress = { reached: -1, rate: 0, windowBegan: now(), windowStarts: 0, waiting: undefined };
      partitions.set(key, progress);
    }
    last = { topic, partition, progress };
    return progress;
  }

  return {
    started(topic, partition, offset) {
      const progress = progressOf(topic, partition);
      progress.windowStarts += 1;
      if (offset <= progress.reached) return;
      progress.reached = offset;
      if (progress.waiting !== undefined && offset >= awaited(progress.waiting.firstOffset)) progress.waiting.fold();
    },
    due({ topic, partition, firstOffset }) {
      const progress = partitions.get(partitionKey(topic, partition));
      if (progress === undefined) return undefined;
      const missing = awaited(firstOffset) - progress.reached;
      const rate = rateOf(progress);
      if (missing <= 0 || rate < BUSY_RATE || missing > rate * longestMs) return undefined;
      return new Promise((resolve) => {
        const fold = (): void => {
          clearTimeout(timer);
          progress.waiting = undefined;
          resolve();
        };
        const timer = setTimeout(fold, longestMs);
        progress.waiting = { firstOffset, fold };
      });
    },
    isReached({ topic, partition, firstOffset }) {
      return (partitions.get(partitionKey(topic, partition))?.reached ?? -1) >= awaited(firstOffset);
    },
    release() {
      for (const { waiting } of partitions.values()) waiting?.fold();
      partitions.clear();
      last = undefined;
    },
  };
}

/** Fewer than come with a fetch, so that what is due does not take much with it that is not. */
const SLICE_RECORDS = 100;

/** Hands on the records of a partition, in order, each slice when it is due. */
export async function takeWhenDue(
  pacing: QueuePacing,
  records: readonly LogRecord[],
  take: (slice: readonly LogRecord[], options: { readonly urgent: boolean }) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < records.length; from += SLICE_RECORDS) {
    const slice = records.slice(from, from + SLICE_RECORDS);
    const { topic, partition, offset } = slice[0]!;
    const place = { topic, partition, firstOffset: offset };
    const due = pacing.due(place);
    if (due !== undefined) await due;
    await take(slice, { urgent: pacing.isReached(place) });
  }
}
