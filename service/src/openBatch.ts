import type { LogRecord } from '@taskflow/log/logRecord';
import type { DecodedBatch, DecodedRecord, UndecodableRecord } from './decoding.ts';
import { type Advance, partitionKey, type TopicPartition } from './positions.ts';

/** How a consumer folds; see `Effects`. */
export interface Folding<E, Folded> {
  empty(): Folded;
  fold(folded: Folded, event: DecodedRecord<E>): void;
  mayWait?(event: E): boolean;
  carryOver?(folded: Folded): CarriedOver<Folded> | undefined;
}

/** What is left to the batch that follows. */
export interface CarriedOver<Folded> {
  readonly folded: Folded;
  /** About how much it holds, in bytes of values. */
  readonly bytes: number;
  /** The lowest offset of its records in each partition that it has records of. */
  readonly from: readonly (TopicPartition & { readonly offset: number })[];
}

/** What was taken from the log and is not being written yet: folded, with the steps that its partitions make by it. */
export class OpenBatch<E, Folded> {
  /** An advance begins at the first record that no batch before has written, also where those behind it have been. */
  readonly advances = new Map<string, Advance>();
  readonly undecodable: UndecodableRecord[] = [];
  /** When its first records came, in milliseconds since 1970. */
  openedAt = 0;
  /** Records taken, those that don't concern the consumer included, those that were carried over not. */
  records = 0;
  events = 0;
  /** Of the events those that may not wait for more. */
  pressing = 0;
  /** Bytes of the values of the records taken, and of what was carried over. */
  bytes = 0;
  /** Resolves when it is committed, or dropped. */
  readonly settled = Promise.withResolvers<void>();
  readonly #folding: Folding<E, Folded>;
  #folded: Folded;
  readonly #carries: boolean;

  constructor(folding: Folding<E, Folded>, carried?: Folded) {
    this.#folding = folding;
    this.#carries = carried !== undefined;
    this.#folded = carried ?? folding.empty();
  }

  get isEmpty(): boolean {
    return this.records === 0 && !this.#carries;
  }

  /**
   * The batch that follows this one, which takes nothing more. Where this one may, it leaves to it what is better written there, and
   * advances no further than to the first record of that.
   */
  next({ mayCarryOver }: { readonly mayCarryOver: boolean }): OpenBatch<E, Folded> {
    const carried = mayCarryOver ? this.#folding.carryOver?.(this.#folded) : undefined;
    const next = new OpenBatch(this.#folding, carried?.folded);
    if (carried === undefined) return next;
    next.openedAt = Date.now();
    next.bytes = carried.bytes;
    for (const { topic, partition, offset } of carried.from) {
      const key = partitionKey(topic, partition);
      const advance = this.advances.get(key);
      if (advance === undefined) throw new Error(`${key}: ${offset} was carried over and not taken`);
      this.advances.set(key, { ...advance, to: offset });
      next.advances.set(key, { ...advance, from: offset });
    }
    return next;
  }

  /** Gives what was folded, and keeps it no longer: what a write does not need of it should not stay in memory until the commit. */
  takeFolded(): Folded {
    const folded = this.#folded;
    this.#folded = this.#folding.empty();
    return folded;
  }

  /** Adds what was decoded of `records`, all of one partition. Those below `step.from` are in already and are passed over. */
  add(decoded: DecodedBatch<E>, step: Advance, records: readonly LogRecord[]): void {
    if (this.isEmpty) this.openedAt = Date.now();
    for (const event of decoded.events) {
      if (event.record.offset < step.from) continue;
      this.#folding.fold(this.#folded, event);
      this.events += 1;
      if (this.#folding.mayWait?.(event.event) !== true) this.pressing += 1;
    }
    for (const parked of decoded.undecodable) {
      if (parked.record.offset >= step.from) this.undecodable.push(parked);
    }
    for (const record of records) this.bytes += record.value?.length ?? 0;
    this.records += records.length;
    const key = partitionKey(step.topic, step.partition);
    this.advances.set(key, { ...step, from: this.advances.get(key)?.from ?? step.from });
  }
}
