import type { BuilderPool } from './builderPool.ts';
import { PartitionLog } from './partitionLog.ts';
import type { Producer } from './producerIds.ts';

const limitHoldsForMs = 60_000;

/** One topic that is appended to. */
export class TopicLog {
  readonly name: string;
  /** Largest batch that the topic takes; undefined until it has been read. */
  limit: number | undefined;
  /** Leaders are being looked for: its partitions wait. */
  isLocating = false;
  readonly producerLost: (producer: Producer) => void;
  readonly #builders: BuilderPool;
  #readAt = 0;
  #smallestRefused = Number.POSITIVE_INFINITY;
  readonly #partitions = new Map<number, PartitionLog>();

  constructor(name: string, builders: BuilderPool, producerLost: (producer: Producer) => void) {
    this.name = name;
    this.#builders = builders;
    this.producerLost = producerLost;
  }

  partition(partition: number): PartitionLog {
    let log = this.#partitions.get(partition);
    if (!log) {
      log = new PartitionLog(this, partition, this.#builders);
      this.#partitions.set(partition, log);
    }
    return log;
  }

  /** The limit was read long enough ago to be another one now. */
  get isLimitOld(): boolean {
    return this.limit !== undefined && Date.now() - this.#readAt > limitHoldsForMs;
  }

  /** What the topic's configuration says. Where the broker has refused less than that, it has its reasons: half of that. */
  setLimit(configured: number): void {
    this.#readAt = Date.now();
    this.limit = configured < this.#smallestRefused ? configured : Math.floor(this.#smallestRefused / 2);
  }

  /** The broker has refused a batch as too large: the limit must be read anew. */
  refusedSize(bytes: number): void {
    this.#smallestRefused = Math.min(this.#smallestRefused, bytes);
    this.limit = undefined;
  }

  /** Partitions with something to send. */
  withWork(): PartitionLog[] {
    return [...this.#partitions.values()].filter((partition) => partition.hasWork);
  }

  failAll(error: Error): void {
    for (const partition of this.#partitions.values()) partition.failAll(error);
  }
}
