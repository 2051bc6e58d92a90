import { RecordTooLargeError } from '../errors.ts';
import { addSequence, type BatchBuilder } from '../recordBatch/batchBuilder.ts';
import type { AppendCall } from './appendCall.ts';
import type { BuilderPool } from './builderPool.ts';
import { EntryQueue } from './entryQueue.ts';
import type { Producer } from './producerIds.ts';
import type { TopicLog } from './topicLog.ts';

/** Records under one sequence number: sent until the broker says what became of them. */
export interface SealedBatch {
  readonly bytes: Buffer;
  readonly builder: BatchBuilder;
  readonly producer: Producer;
  readonly calls: readonly AppendCall[];
  readonly indexes: readonly number[];
}

/** How large a batch becomes. A record that is larger by itself goes alone. */
export interface BatchLimits {
  readonly bytes: number;
  readonly records: number;
}

/** What one partition is still to be given, in order: the batch that is under way, and the records that wait behind it. */
export class PartitionLog {
  readonly topic: TopicLog;
  readonly partition: number;
  readonly queue = new EntryQueue();
  /** In a request, or waiting for a pause to end: not to be taken into another one. */
  isBusy = false;
  /** Answers in a row that were no success. */
  failures = 0;
  readonly #builders: BuilderPool;
  #batch: SealedBatch | undefined;
  #producer: Producer | undefined;
  #nextSequence = 0;

  constructor(topic: TopicLog, partition: number, builders: BuilderPool) {
    this.topic = topic;
    this.partition = partition;
    this.#builders = builders;
  }

  get hasWork(): boolean {
    return this.#batch !== undefined || this.queue.length > 0;
  }

  /** The batch that is under way. */
  get batch(): SealedBatch | undefined {
    return this.#batch;
  }

  /**
   * The batch to send next: the one under way, as it was, or else a new one from the queue, numbered under the producer of
   * the partition (`producer` where it has none). Records that are too large are refused here, each to its caller alone.
   */
  nextBatch(producer: Producer, limit: number, most: BatchLimits): SealedBatch | undefined {
    if (this.#batch) return this.#batch;
    if (!this.#producer) {
      this.#producer = producer;
      this.#nextSequence = 0;
    }
    this.#batch = this.#build(this.#producer, limit, most);
    return this.#batch;
  }

  /** Forgets what nobody waits for any more, unless a request carries it. */
  dropSettled(): void {
    if (this.#batch?.calls.every((call, i) => call.isSettled(this.#batch!.indexes[i]!))) this.#forgetBatch();
    this.queue.dropSettled();
  }

  /** The broker has it: its records lie from `baseOffset` on. */
  appended(baseOffset: number, appendTime: number): void {
    const { calls, indexes, builder } = this.#batch!;
    const appendedAt = appendTime >= 0 ? appendTime : builder.createdAt;
    const place = { topic: this.topic.name, partition: this.partition, appendedAt };
    this.#nextSequence = addSequence(this.#nextSequence, calls.length);
    this.#endBatch();
    for (let i = 0; i < calls.length; i++) {
      calls[i]!.appended(indexes[i]!, place, baseOffset + i);
    }
  }

  /** The records of the batch go back to the queue, to be numbered anew under another producer. */
  renumber(): void {
    const { calls, indexes } = this.#batch!;
    this.queue.unshift(calls, indexes);
    this.#forgetBatch();
  }

  /** The broker refuses records of the batch, all of them unless it names some; the others go back to the queue. */
  refused(errorOf: (indexInBatch: number) => Error | undefined): void {
    const { calls, indexes } = this.#batch!;
    const restCalls: AppendCall[] = [];
    const restIndexes: number[] = [];
    const refused: (() => void)[] = [];
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i]!;
      const index = indexes[i]!;
      const error = errorOf(i);
      if (error) refused.push(() => call.failed(index, error));
      else {
        restCalls.push(call);
        restIndexes.push(index);
      }
    }
    this.queue.unshift(restCalls, restIndexes);
    this.#forgetBatch();
    for (const tell of refused) tell();
  }

  /** There is nowhere to append to. The batch itself may be in a request, so it is dropped later. */
  failAll(error: Error): void {
    if (this.#batch) {
      const { calls, indexes } = this.#batch;
      for (let i = 0; i < calls.length; i++) calls[i]!.failed(indexes[i]!, error);
    }
    this.queue.failAll(error);
  }

  #build(
    producer: Producer,
    limit: number,
    { bytes: mostBytes, records: mostRecords }: BatchLimits,
  ): SealedBatch | undefined {
    const builder = this.#builders.take();
    const calls: AppendCall[] = [];
    const indexes: number[] = [];
    const { queue } = this;
    for (let call = queue.firstCall(); call !== undefined && calls.length < mostRecords; call = queue.firstCall()) {
      const index = queue.firstIndex();
      if (!call.isSettled(index)) {
        const { key, value, headers } = call.records[index]!;
        // A record that is large but allowed goes alone.
        const most = calls.length === 0 ? limit : Math.min(limit, mostBytes);
        if (builder.tryAdd(key, value, headers, most)) {
          calls.push(call);
          indexes.push(index);
        } else if (calls.length > 0) {
          break;
        } else {
          call.failed(index, new RecordTooLargeError(this.topic.name, builder.sizeWith(key, value, headers), limit));
        }
      }
      queue.shift();
    }
    if (calls.length === 0) {
      this.#builders.give(builder);
      return undefined;
    }
    const { id, epoch } = producer;
    const bytes = builder.seal({ producerId: id, producerEpoch: epoch, baseSequence: this.#nextSequence });
    return { bytes, builder, producer, calls, indexes };
  }

  /** Without knowing whether the broker has it: nothing more may be numbered under its producer here. */
  #forgetBatch(): void {
    this.topic.producerLost(this.#batch!.producer);
    this.#producer = undefined;
    this.#endBatch();
  }

  #endBatch(): void {
    this.#builders.give(this.#batch!.builder);
    this.#batch = undefined;
  }
}
