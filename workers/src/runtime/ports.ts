/**
 * What the runtime needs of the log, and no more: the queue consumer and the appender of `@taskflow/log` fit, and so do
 * the plain objects of tests.
 */

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

/** One queue topic, taken from through its share group. */
export interface TaskQueue {
  /** Waits for the first record at most `maxWaitMs`; an empty array if none came. */
  fetch(options: { maxRecords: number; maxWaitMs: number; signal?: AbortSignal }): Promise<readonly DeliveredRecord[]>;
  accept(record: DeliveredRecord): void;
  release(record: DeliveredRecord): void;
  reject(record: DeliveredRecord): void;
  renew(records: readonly DeliveredRecord[]): Promise<{ readonly lost: readonly DeliveredRecord[] }>;
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
