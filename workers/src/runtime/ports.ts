/**
 * What the runtime needs of the log, and no more: the queue consumer and the appender of `@taskflow/log` fit, and so do
 * the plain objects of tests.
 */

import type { Priority } from '@taskflow/schemas/topics';

/** A record that the broker has locked for this process. */
export interface DeliveredRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: Buffer | null;
  readonly appendedAt: number;
  /** How often the broker has handed it out, this time included. */
  readonly delivery: number;
  /** On the clock of `performance.now()`; moves on as locks are renewed. */
  readonly lockedUntil: number;
  readonly session: { readonly lost: boolean };
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
}

export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
}

export interface AppendedAt {
  readonly appendedAt: number;
}

export interface LogAppender {
  append(records: readonly OutgoingRecord[]): Promise<readonly AppendedAt[]>;
}
