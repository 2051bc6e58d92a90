import { PRIORITIES } from '@taskflow/schemas/topics';
import type { DeliveredRecord, QueueSession } from './ports.ts';
import type { QueuePartition } from './queuePartition.ts';

/** A delivered record whose slot is still to come free. */
export interface InHand {
  readonly record: DeliveredRecord;
  readonly partition: QueuePartition;
  /** The highest offset that had come from its partition before it. */
  readonly highest: number;
}

/** One that has been in hand for so long is overtaken by none of a higher priority: otherwise it might be given back for that. */
const overtakenWithinMs = 100;

/**
 * Records that came a little before their slots, in the order in which they begin: by priority, and as they came. Nothing is on
 * the log of them.
 */
export class Hand {
  #records: InHand[] = [];

  get size(): number {
    return this.#records.length;
  }

  put(record: InHand, now: number): void {
    const records = this.#records;
    let at = records.length;
    while (
      at > 0 &&
      isMoreUrgent(record, records[at - 1]!) &&
      cameAt(records[at - 1]!.record) > now - overtakenWithinMs
    )
      at--;
    records.splice(at, 0, record);
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

function isMoreUrgent(one: InHand, other: InHand): boolean {
  return PRIORITIES.indexOf(one.partition.of.priority) < PRIORITIES.indexOf(other.partition.of.priority);
}

/** When the fetch left that brought it. */
function cameAt({ lockedUntil, session }: DeliveredRecord): number {
  return lockedUntil - session.lockMs;
}
