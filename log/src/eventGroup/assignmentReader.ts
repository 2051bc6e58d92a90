import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { GapError, isRetriable, UnknownTopicError } from '../errors.ts';
import type { LogRecord } from '../logRecord.ts';
import type { FetchedRecords } from '../reader/fetchedBatches.ts';
import type { Position } from '../reader/position.ts';
import { LeaderFetcher } from './leaderFetcher.ts';
import { PartitionQueue } from './partitionQueue.ts';

export interface AssignmentReaderOptions {
  readonly cluster: Cluster;
  readonly positions: readonly Position[];
  readonly fetchesPerSecond?: number | undefined;
  /** Calls for one partition never overlap. */
  onRecords(queue: PartitionQueue, records: readonly LogRecord[]): void | Promise<void>;
  /** A partition cannot be read on; the others are. */
  onGap(error: GapError | UnknownTopicError): void;
  onFatal(error: unknown): void;
}

/** Fetched and not handled yet, over all partitions: no fetch while more is in memory. */
const maxQueuedBytes = 8 * 1024 * 1024;

/** Reads the partitions of one assignment, each in its order, by long polls to their leaders, until it is stopped. */
export class AssignmentReader {
  readonly queues: readonly PartitionQueue[];
  readonly #options: AssignmentReaderOptions;
  readonly #fetchers = new Map<number, LeaderFetcher>();
  readonly #stop = new AbortController();
  #queuedBytes = 0;
  #idle: (() => void) | undefined;

  constructor(options: AssignmentReaderOptions) {
    this.#options = options;
    this.queues = options.positions.map(
      (position) =>
        new PartitionQueue(
          position,
          (queue, batch) => this.#handle(queue, batch),
          () => this.#onIdle(),
        ),
    );
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get cluster(): Cluster {
    return this.#options.cluster;
  }

  get hasRoom(): boolean {
    return this.#queuedBytes < maxQueuedBytes;
  }

  start(): void {
    void this.#placeAll(this.queues).catch((error: unknown) => this.#fail(error));
  }

  /** Ends the pauses between fetches that there are now. */
  hurry(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.hurry();
  }

  /** Nothing more is handed out; what is being handled may end. */
  stop(): void {
    this.#stop.abort();
    for (const queue of this.queues) queue.drop();
    for (const fetcher of this.#fetchers.values()) fetcher.close();
  }

  /** Resolves when nothing is being handled any more. After `stop`. */
  async idle(): Promise<void> {
    while (this.queues.some(({ isIdle }) => !isIdle)) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  received(queue: PartitionQueue, records: FetchedRecords): void {
    if (this.signal.aborted) return;
    this.#queuedBytes += records.bytes;
    queue.push(records);
  }

  /** Their leader is not, or cannot be reached, any more: finds it anew. */
  async relocate(queues: readonly PartitionQueue[], error: unknown, attempt: number): Promise<void> {
    if (!isRetriable(error)) {
      if (queues.length === 1 && (error instanceof GapError || error instanceof UnknownTopicError)) {
        this.#giveUp(queues[0]!, error);
        return;
      }
      throw error;
    }
    this.cluster.logger.debug('reading is interrupted', { error: String(error), partitions: queues.length });
    await this.#pause(attempt);
    await this.#placeAll(queues);
  }

  fail(error: unknown): void {
    this.#fail(error);
  }

  #giveUp(queue: PartitionQueue, error: GapError | UnknownTopicError): void {
    queue.stopped = error;
    if (!this.signal.aborted) this.#options.onGap(error);
  }

  #fail(error: unknown): void {
    if (!this.signal.aborted) this.#options.onFatal(error);
  }

  async #placeAll(queues: readonly PartitionQueue[]): Promise<void> {
    let missing = queues;
    const since = Date.now();
    for (let attempt = 1; missing.length > 0 && !this.signal.aborted; attempt++) {
      const left: PartitionQueue[] = [];
      for (const queue of missing) if (!(await this.#place(queue, since))) left.push(queue);
      missing = left;
      if (left.length > 0) await this.#pause(attempt);
    }
  }

  async #place(queue: PartitionQueue, since: number): Promise<boolean> {
    const { topic, partition } = queue.position;
    try {
      const { brokerId } = await this.cluster.leader(topic, partition);
      if (this.signal.aborted) return true;
      let fetcher = this.#fetchers.get(brokerId);
      if (!fetcher) {
        fetcher = new LeaderFetcher(this, brokerId, this.#options.fetchesPerSecond);
        this.#fetchers.set(brokerId, fetcher);
      }
      fetcher.add(queue);
      return true;
    } catch (error) {
      if (error instanceof UnknownTopicError) {
        // a broker that has just started may not have heard of it
        if (Date.now() - since < 10_000) return false;
        this.#giveUp(queue, error);
        return true;
      }
      if (isRetriable(error)) return false;
      throw error;
    }
  }

  async #pause(attempt: number): Promise<void> {
    await delay(10 + backoffMs(attempt), undefined, { signal: this.signal }).catch(() => {});
    if (this.signal.aborted) return;
    const topics = new Set(this.queues.map(({ position }) => position.topic));
    await this.cluster.refresh(topics).catch((error: unknown) => {
      this.cluster.logger.debug('metadata cannot be read at present', { error: String(error) });
    });
  }

  async #handle(queue: PartitionQueue, fetched: FetchedRecords): Promise<void> {
    try {
      if (!this.signal.aborted) {
        const records = fetched.read();
        if (records.length > 0) {
          const handled = this.#options.onRecords(queue, records);
          if (handled) await handled;
        }
        queue.handled = fetched.nextOffset;
        queue.movedAt = performance.now();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#queuedBytes -= fetched.bytes;
      this.#wakeFetchers();
    }
  }

  #onIdle(): void {
    this.#wakeFetchers();
    this.#idle?.();
  }

  #wakeFetchers(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.wake();
  }
}
