import { LogAppender } from './appender/logAppender.ts';
import type { Cluster } from './cluster.ts';

export interface AppendRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | Buffer | null;
  /** Must not change until the call has ended. */
  readonly value: Buffer | null;
  /** Costs more than all the rest of a record: for what consumers need before they decode, nothing else. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface AppendedPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The broker's time stamp in milliseconds (this process's where a topic is not set to `LogAppendTime`). */
  readonly appendedAt: number;
}

export interface AppenderOptions {
  /** Unacknowledged bytes after which further calls wait; as much again may wait. Default 32 MiB. */
  readonly maxBytesInFlight?: number;
  /**
   * The most records of one batch in the log. For queues: a share group sends the whole batch to each member that takes a part
   * of it, and keeps account of such a batch record by record. Default: as many as fit.
   */
  readonly maxBatchRecords?: number;
  /**
   * After a request the next one to that broker leaves no sooner than a millisecond later for each of its records, and at most so long
   * after it. Where records are appended one by one, in thousands a second, they leave together then: a request costs the broker, and
   * all that read what it brings, as much as dozens of records. Default 0.
   */
  readonly maxRequestIntervalMs?: number;
  /** Time for a call from beginning to end, all repetitions within. Default 30 s. */
  readonly deliveryTimeoutMs?: number;
  /** Called after each answered request: for metrics. */
  readonly onRequest?: (request: { durationMs: number; records: number; bytes: number }) => void;
}

/** Counts since the appender was made, but for the two of bytes in memory, which are as of now. */
export interface AppenderStats {
  readonly records: number;
  readonly bytes: number;
  readonly requests: number;
  /** Batches sent again, or numbered anew, for whatever reason. */
  readonly retries: number;
  /** Records that their callers were told of as failed. */
  readonly failed: number;
  /** Producer ids used: more than one means that the broker lost track of the first. */
  readonly producerIds: number;
  readonly bytesInFlight: number;
  readonly bytesWaiting: number;
}

export interface Appender {
  /**
   * Appends records, and resolves with their positions in the same order once all in-sync replicas have them. Records of a
   * partition keep their order, within the call and between calls.
   *
   * Everything that can pass by itself is waited out: a lost connection (the same batch goes again under the same sequence
   * number, so it is in the log once), moved leaders, missing replicas, a restarted broker. Where the broker has lost track
   * of the sequence, the records go again under a new producer id: then one may be in the log twice.
   *
   * Rejects with
   * - `BrokerUnavailableError` after `deliveryTimeoutMs`. **The records may or may not be in the log, or may yet come**;
   * - `RecordTooLargeError`: it is over the topic's limit, and was not sent; other records of the call, and of the batch, go on;
   * - `BackPressureError`: nothing was sent, too much waits already;
   * - `UnknownTopicError`: there is no such topic or partition (looked for for some seconds);
   * - `KafkaError`: refused by the broker for another reason (authorization, a null key in a compacted topic);
   * - `ClosedError`: `close` had been called;
   * - `PartialAppendError` with the outcome of each record, where these are not the same for all.
   */
  append(records: readonly AppendRecord[]): Promise<readonly AppendedPosition[]>;
  /** Takes no more, waits until all that was taken has ended one way or the other, and closes the connections. */
  close(): Promise<void>;
  readonly stats: AppenderStats;
}

/**
 * An idempotent appender with acks=all: for each broker one request in flight, into whose successor all goes that is appended
 * meanwhile. (One at a time, since the order of a partition must survive repetition, and a request carries megabytes.)
 */
export function createAppender(cluster: Cluster, options: AppenderOptions = {}): Appender {
  return new LogAppender(cluster, options);
}
