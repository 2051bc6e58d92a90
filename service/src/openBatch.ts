import type { LogRecord } from '@taskflow/log/logRecord';
import type { DecodedBatch, DecodedRecord, UndecodableRecord } from './decoding.ts';
import { type Advance, partitionKey } from './positions.ts';

/** How a consumer folds; see `Effects`. */
export interface Folding<E, Folded> {
  empty(): Folded;
  fold(folded: Folded, event: DecodedRecord<E>): void;
}

/** What was taken from the log and is not being written yet: folded, with the steps that its partitions make by it. */
export class OpenBatch<E, Folded> {
  readonly folded: Folded;
  readonly advances = new Map<string, Advance>();
  readonly undecodable: UndecodableRecord[] = [];
  /** When its first records came, in milliseconds since 1970. */
  openedAt = 0;
  /** Records taken, those that don't concern the consumer included. */
  records = 0;
  events = 0;
  /** Bytes of the values of the records taken. */
  bytes = 0;
  /** Resolves when it is committed, or dropped. */
  readonly settled = Promise.withResolvers<void>();
  readonly #folding: Folding<E, Folded>;

  constructor(folding: Folding<E, Folded>) {
    this.#folding = folding;
    this.folded = folding.empty();
  }

  get isEmpty(): boolean {
    return this.records === 0;
  }

  /** Adds what was decoded of `records`, all of one partition. Those below `step.from` are in already and are passed over. */
  add(decoded: DecodedBatch<E>, step: Advance, records: readonly LogRecord[]): void {
    if (this.isEmpty) this.openedAt = Date.now();
    for (const event of decoded.events) {
      if (event.record.offset < step.from) continue;
      this.#folding.fold(this.folded, event);
      this.events += 1;
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
