import { retrying } from '../backoff.ts';
import type { Cluster } from '../cluster.ts';
import { throwIfError } from '../errors.ts';
import { initProducerId } from '../wire/messages/initProducerId.ts';

/** A producer id with its epoch, under which the batches of a partition are numbered (KIP-98). */
export interface Producer {
  readonly id: number;
  readonly epoch: number;
}

/**
 * The producer id that partitions begin with. One whose numbering is lost for some partition is retired: that partition goes
 * on with the next, the others stay with what they have, for it is good there.
 */
export class ProducerIds {
  readonly #cluster: Cluster;
  readonly #retryForMs: number;
  #current: Promise<Producer> | undefined;
  #granted = 0;
  #latest: Producer | undefined;

  constructor(cluster: Cluster, retryForMs: number) {
    this.#cluster = cluster;
    this.#retryForMs = retryForMs;
  }

  /** How many ids the broker has given so far. */
  get granted(): number {
    return this.#granted;
  }

  /** The id to begin with, asked for where there is none. A broker that has just started is loading (14): asked again. */
  current(): Promise<Producer> {
    if (!this.#current) {
      const asking = retrying(() => this.#ask(), { forMs: this.#retryForMs });
      this.#current = asking;
      asking.catch(() => {
        if (this.#current === asking) this.#current = undefined;
      });
    }
    return this.#current;
  }

  retire(producer: Producer): void {
    if (this.#latest === producer) this.#current = undefined;
  }

  async #ask(): Promise<Producer> {
    const { errorCode, producerId, producerEpoch } = await this.#cluster.request('any', initProducerId);
    throwIfError(errorCode, 'New producer id');
    this.#granted++;
    this.#latest = { id: producerId, epoch: producerEpoch };
    return this.#latest;
  }
}
