/** Records that somebody would like to deliver. */
export interface Delivery {
  /** When the first of them was appended, in milliseconds since 1970. */
  readonly appendedAt: number;
  /** It waits only where it is twice too much. */
  readonly urgent: boolean;
}

interface Waiting {
  readonly delivery: Delivery;
  readonly begin: () => void;
  /** How many batches were closed since it began to wait. */
  batches: number;
}

/** Who has waited for this many batches comes first: a partition that is far behind must not keep all others waiting. */
const PATIENT_BATCHES = 4;

/**
 * Who waits to deliver records of a partition. The oldest are let in first, as Kafka Streams chooses among its partitions (KIP-353): what
 * lies in several partitions and happened at one time comes into one batch, however far behind the log the consumer is.
 */
export class Turns {
  /** Whether it could be taken in now, whoever else waits. */
  readonly hasRoom: (delivery: Delivery) => boolean;
  /** The longest waiting first. */
  readonly #waiting: Waiting[] = [];

  constructor(hasRoom: (delivery: Delivery) => boolean) {
    this.hasRoom = hasRoom;
  }

  /** Whether there is room for a delivery that comes now, and nobody before it. */
  isFree(delivery: Delivery): boolean {
    if (!this.hasRoom(delivery)) return false;
    const first = this.#first();
    return first === undefined || !(isImpatient(first) || first.delivery.appendedAt < delivery.appendedAt);
  }

  /** Resolves when it is its turn. Others may have taken the room by the time that the caller goes on. */
  wait(delivery: Delivery): Promise<void> {
    return new Promise((begin) => this.#waiting.push({ delivery, begin, batches: 0 }));
  }

  /** Lets one in, if there is anybody for whom there is room. */
  letNextIn(): void {
    const first = this.#first();
    if (first === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(first), 1);
    first.begin();
  }

  /** There is room again; who waits on has waited for one batch more. */
  batchClosed(): void {
    for (const each of this.#waiting) each.batches += 1;
    this.letNextIn();
  }

  /** Lets in everybody. */
  release(): void {
    for (const { begin } of this.#waiting.splice(0)) begin();
  }

  /** Of those for whom there is room: who has lost patience, or else the oldest. */
  #first(): Waiting | undefined {
    let first: Waiting | undefined;
    for (const each of this.#waiting) {
      if (!this.hasRoom(each.delivery)) continue;
      if (isImpatient(each)) return each;
      if (first === undefined || each.delivery.appendedAt < first.delivery.appendedAt) first = each;
    }
    return first;
  }
}

function isImpatient({ batches }: Waiting): boolean {
  return batches >= PATIENT_BATCHES;
}
