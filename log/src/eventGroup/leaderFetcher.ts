import type { BrokerConnection } from '../cluster.ts';
import { isRetriable, throwIfError } from '../errors.ts';
import { type FetchedPartition, fetch } from '../wire/messages/fetch.ts';
import type { AssignmentReader } from './assignmentReader.ts';
import { FetchPacing } from './fetchPacing.ts';
import type { PartitionQueue } from './partitionQueue.ts';

const mebibyte = 1024 * 1024;
const maxBytes = 4 * mebibyte;
/** A thousand records or more: a fetch stays in memory until the last of its records has been handled. A batch that is larger comes whole all the same (KIP-74). */
const partitionMaxBytes = mebibyte / 4;
/** The broker answers at once when there is something; this bounds how long a partition that is added waits. */
const longPollMs = 500;
/** While a partition is left out, because its records wait to be handled, a poll must not keep it waiting for long. */
const shortPollMs = 20;

/** Long polls, one after the other, to one broker for the partitions that it leads, on a connection of its own. */
export class LeaderFetcher {
  readonly #reader: AssignmentReader;
  readonly #brokerId: number;
  readonly #queues = new Set<PartitionQueue>();
  readonly #pacing: FetchPacing;
  #connection: BrokerConnection | undefined;
  #running = false;
  #failures = 0;
  #wake: (() => void) | undefined;
  #endPause: (() => void) | undefined;

  constructor(reader: AssignmentReader, brokerId: number, fetchesPerSecond?: number) {
    this.#reader = reader;
    this.#brokerId = brokerId;
    this.#pacing = new FetchPacing(fetchesPerSecond);
  }

  add(queue: PartitionQueue): void {
    this.#queues.add(queue);
    if (this.#running) {
      this.wake();
      return;
    }
    this.#running = true;
    // those added in the same turn are in the first fetch already
    queueMicrotask(() => {
      this.#run().catch((error: unknown) => this.#reader.fail(error));
    });
  }

  /** A partition may have room again. */
  wake(): void {
    this.#wake?.();
  }

  /** Ends the pause before the next fetch, where there is one. */
  hurry(): void {
    this.#endPause?.();
  }

  close(): void {
    this.wake();
    this.hurry();
    this.#connection?.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#reader;
    try {
      while (this.#queues.size > 0 && !signal.aborted) {
        const asked = this.#reader.hasRoom ? [...this.#queues].filter(({ wantsMore }) => wantsMore) : [];
        if (asked.length === 0) {
          await this.#woken();
          continue;
        }
        try {
          const pauseMs = this.#pacing.fetched(await this.#fetch(asked));
          if (pauseMs >= 1 && !signal.aborted) await this.#pause(pauseMs);
        } catch (error) {
          if (signal.aborted) return;
          if (!isRetriable(error)) throw error;
          this.#connection?.close();
          this.#relocate([...this.#queues], error);
        }
      }
    } finally {
      this.#running = false;
      this.#connection?.close();
    }
  }

  /** Gives how many bytes of records came. */
  async #fetch(asked: readonly PartitionQueue[]): Promise<number> {
    const { cluster, signal } = this.#reader;
    if (!this.#connection || this.#connection.isClosed) {
      this.#connection = await cluster.openConnection(this.#brokerId);
      if (signal.aborted) {
        this.#connection.close();
        return 0;
      }
    }
    const positions = asked.map(({ position }) =>
      position.fetchPosition(cluster.knownTopic(position.topic)?.partitions[position.partition]?.leaderEpoch ?? -1),
    );
    const maxWaitMs = asked.length === this.#queues.size ? longPollMs : shortPollMs;
    const askedAt = Date.now();
    const answer = await this.#connection.send(fetch(positions, { maxWaitMs, maxBytes, partitionMaxBytes }));
    throwIfError(answer.errorCode, `Fetch from broker ${this.#connection.broker}`);
    const byKey = new Map(asked.map((queue) => [`${queue.position.topicIdHex}/${queue.position.partition}`, queue]));
    let bytes = 0;
    for (const partition of answer.partitions) {
      bytes += partition.records?.length ?? 0;
      const queue = byKey.get(`${partition.topicIdHex}/${partition.partition}`);
      if (queue && !signal.aborted) await this.#take(queue, partition, askedAt);
    }
    return bytes;
  }

  async #take(queue: PartitionQueue, answer: FetchedPartition, askedAt: number): Promise<void> {
    try {
      const records = await queue.position.takeUnread(this.#reader.cluster, answer);
      this.#failures = 0;
      queue.answeredAt = performance.now();
      queue.end = answer.highWatermark;
      queue.askedAt = askedAt;
      if (records !== undefined) {
        // the broker fills its answer in the order of the request: who has had something is last the next time
        this.#queues.delete(queue);
        this.#queues.add(queue);
        this.#reader.received(queue, records);
      } else if (queue.isIdle) {
        // offsets without records (transaction markers, what compaction dropped) need no handling
        queue.handled = queue.position.offset;
        queue.movedAt = queue.answeredAt;
      }
    } catch (error) {
      this.#relocate([queue], error);
    }
  }

  #relocate(queues: readonly PartitionQueue[], error: unknown): void {
    for (const queue of queues) {
      queue.interruptions += 1;
      this.#queues.delete(queue);
    }
    this.#reader.relocate(queues, error, ++this.#failures).catch((failure: unknown) => this.#reader.fail(failure));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#endPause = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#endPause = end;
    });
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
