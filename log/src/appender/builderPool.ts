import { BatchBuilder } from '../recordBatch/batchBuilder.ts';

const kept = 8;

/** Builders, whose buffers have grown, for use again; a few, for there may be thousands of partitions. */
export class BuilderPool {
  readonly #free: BatchBuilder[] = [];

  take(): BatchBuilder {
    return this.#free.pop() ?? new BatchBuilder();
  }

  give(builder: BatchBuilder): void {
    builder.reset();
    if (this.#free.length < kept) this.#free.push(builder);
  }
}
