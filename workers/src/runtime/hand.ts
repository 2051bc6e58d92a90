import type { DeliveredRecord, QueueSession } from './ports.ts';
import type { QueuePartition } from './queuePartition.ts';

/** A delivered record whose slot is still to come free. */
export interface InHand {
  readonly record: DeliveredRecord;
  readonly partition: QueuePartition;
  /** The highest offset that had come from its partition before it. */
  readonly highest: number;
}

/** Records that came a little before their slots, in the order in which they begin. Nothing is on the log of them. */
export class Hand {
  #records: InHand[] = [];

  get size(): number {
    return this.#records.length;
  }

  put(record: InHand): void {
    this.#records.push(record);
  }

  next(): InHand | undefined {
    return this.#records.shift();
  }

  /** Those of a session that is lost: they are free for others. */
  drop(session: QueueSession): void {
    this.#records = this.#records.filter(({ record }) => record.session !== session);
  }

  /** Takes out those that came before a time, but none with so many deliveries. */
  takeOlder(before: number, keepFromDelivery: number): InHand[] {
    const isOld = ({ record }: InHand) => cameAt(record) < before && record.delivery < keepFromDelivery;
    const old = this.#records.filter(isOld);
    if (old.length > 0) this.#records = this.#records.filter((each) => !isOld(each));
    return old;
  }
}

/** When the fetch left that brought it. */
function cameAt({ lockedUntil, session }: DeliveredRecord): number {
  return lockedUntil - session.lockMs;
}
