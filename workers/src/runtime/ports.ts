/**
 * What the runtime needs of the log, and no more: the queue consumer, the appender and the reader of `@taskflow/log` fit, and
 * so do the plain objects of tests.
 */

import type { Priority } from '@taskflow/schemas/topics';

/** The hold on one partition of a queue. Times are of `performance.now()`. */
export interface QueueSession {
  readonly lost: boolean;
  readonly leaderEpoch: number;
  readonly openedAt: number;
  /** How long the broker locks a record. */
  readonly lockMs: number;
  /** When the last fetch left that waited and was shown that nothing was to be had. */
  readonly shownEmptyAt: number | undefined;
}

/** A record that the broker has locked for this process. */
export interface DeliveredRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: Buffer | null;
  readonly appendedAt: number;
  /** Epoch of the leader that appended it. */
  readonly leaderEpoch: number;
  /** How often the broker has handed it out, this time included. */
  readonly delivery: number;
  /** On the clock of `performance.now()`; moves on as locks are renewed. */
  readonly lockedUntil: number;
  readonly session: QueueSession;
}

/** What becomes of a record of a queue topic. */
export interface TaskQueue {
  accept(record: DeliveredRecord): void;
  release(record: DeliveredRecord): void;
  reject(record: DeliveredRecord): void;
  renew(records: readonly DeliveredRecord[]): Promise<{ readonly lost: readonly DeliveredRecord[] }>;
}

/** The queues of a type, whose records share its slots. */
export interface QueueSet {
  /**
   * Asks the queues in order, and waits for the first record at most `maxWaitMs` when all are empty. Never brings more than
   * `maxRecords`; empty at once when the signal aborts.
   */
  fetch(options: {
    readonly maxRecords: number;
    readonly order: readonly Priority[];
    readonly maxWaitMs: number;
    readonly signal: AbortSignal;
  }): Promise<readonly DeliveredRecord[]>;
  /** More slots are free than the fetch under way was told: it may end with nothing, to be called anew. */
  slotsFreed(): void;
}

export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
}

export interface AppendedAt {
  readonly offset: number;
  readonly appendedAt: number;
}

export interface LogAppender {
  append(records: readonly OutgoingRecord[]): Promise<readonly AppendedAt[]>;
}

/** A record of an events topic. */
export interface EventRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly appendedAt: number;
}

/** What can be asked of the log about the queue of a priority, and about the events of its tasks. All reject while the broker is away. */
export interface QueueFacts {
  /** All records before it are settled; undefined where the group has not begun. */
  groupStart(partition: number): Promise<number | undefined>;
  /** Where the events partitions end now. */
  eventsEnds(): Promise<readonly number[]>;
  /** Append time of the last event that the leader before the present one appended; undefined where that cannot be told. */
  lastEventOfOldLeader(eventsPartition: number): Promise<number | undefined>;
  /** Reads an events partition from an offset or a (broker's) time to its present end, which is given. */
  scanEvents(
    eventsPartition: number,
    from: { readonly offset: number } | { readonly time: number },
    onRecords: (records: readonly EventRecord[]) => void,
  ): Promise<{ readonly end: number }>;
}
