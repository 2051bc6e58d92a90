import {
  type AcknowledgementRange,
  Acknowledgements,
  type AcknowledgementType,
  acknowledgementTypes,
  countOf,
  halved,
} from './acknowledgements.ts';
import type { Acquired } from './acquired.ts';
import type { AcquiredBatch } from './acquiredBatch.ts';
import { type HeldRecord, Hold } from './delivered.ts';
import type { ShareSession } from './session.ts';
import type { PartitionId } from './sessionState.ts';

/** What happened to acknowledgements, counted since the consumer was opened. */
export interface AcknowledgementCounts {
  accepted: number;
  released: number;
  rejected: number;
  /** Refused by the broker: the lock was lost before. The record comes (or came) again. */
  invalidState: number;
  /** Not sent, because the session was lost before. */
  lostWithSession: number;
}

export function noAcknowledgements(): AcknowledgementCounts {
  return { accepted: 0, released: 0, rejected: 0, invalidState: 0, lostWithSession: 0 };
}

/** What the broker's answer for a partition's acknowledgements means. */
export type AcknowledgementOutcome = 'done' | 'invalidState' | 'retry';

/**
 * One partition within a share session: the hold on it, and its acknowledgements on their way. No I/O.
 *
 * The broker takes the acknowledgements of a partition in one request as a whole: one record whose lock is gone makes it
 * refuse all of them (INVALID_RECORD_STATE). Those are halved and sent again until the bad ones stand alone.
 */
export class SharePartition {
  readonly id: PartitionId;
  readonly topic: string;
  hold: Hold | undefined;
  /** Delivered on the present hold and not settled yet. */
  held = 0;
  readonly session: ShareSession;
  readonly #counts: AcknowledgementCounts;
  readonly #waiting = new Acknowledgements();
  /** Of which some records are settled and others not, by when the first of them was. */
  readonly #parts = new Set<AcquiredBatch>();
  #suspects: AcknowledgementRange[][] = [];
  #inFlight: AcknowledgementRange[] = [];

  constructor(id: PartitionId, topic: string, session: ShareSession, counts: AcknowledgementCounts) {
    this.id = id;
    this.topic = topic;
    this.session = session;
    this.#counts = counts;
  }

  /** Nothing waits to be acknowledged, and nothing is on its way. */
  get settled(): boolean {
    return this.#inFlight.length === 0 && !this.hasWaiting && this.#parts.size === 0;
  }

  /** Something can be sent. Acknowledgements of a part of a batch wait for the others of it, until `breakUp`. */
  get hasWaiting(): boolean {
    return !this.#waiting.empty || this.#suspects.length > 0;
  }

  /** Since when acknowledgements have waited for others of their batch, on the clock of `performance.now()`. */
  get partsSince(): number | undefined {
    for (const { settledSince } of this.#parts) return settledSince;
    return undefined;
  }

  /** Some were refused together, and must be sent in parts. */
  get hasSuspects(): boolean {
    return this.#suspects.length > 0;
  }

  begin(leaderEpoch: number): Hold {
    this.hold = new Hold(this, leaderEpoch);
    this.held = 0;
    return this.hold;
  }

  /** Ends the hold: nothing that was delivered on it is acknowledged any more. Gives it, if there was one. */
  lose(): Hold | undefined {
    const lost = this.hold;
    this.hold = undefined;
    this.held = 0;
    this.#counts.lostWithSession += countOf(this.#inFlight) + countOf(this.#waiting.take());
    for (const batch of this.#parts) this.#counts.lostWithSession += batch.drop();
    this.#parts.clear();
    for (const ranges of this.#suspects) this.#counts.lostWithSession += countOf(ranges);
    this.#suspects = [];
    this.#inFlight = [];
    if (lost) lost.lost = true;
    return lost;
  }

  /** Accepts, releases or rejects a record; the first of them counts, and none counts on a hold that is over. */
  settle(record: HeldRecord, type: AcknowledgementType): void {
    if (record.settled) return;
    record.settled = true;
    if (record.session !== this.hold) {
      this.#counts.lostWithSession++;
      return;
    }
    this.held--;
    const now = performance.now();
    const { batch } = record;
    batch.settle(record.offset, type, now);
    let ready = 0;
    if (batch.isSettled) {
      this.#parts.delete(batch);
      ready = batch.giveTo(this.#waiting);
    } else {
      this.#parts.add(batch);
    }
    this.session.acknowledge(type === acknowledgementTypes.accept, ready, now);
  }

  /** Lets acknowledgements of parts of batches be sent. */
  breakUp(): void {
    for (const batch of this.#parts) batch.giveTo(this.#waiting);
    this.#parts.clear();
  }

  received({ records, vacant }: Acquired): void {
    this.held += records.length;
    this.#waiting.addRanges(vacant);
  }

  /** What the next request shall say; it is on its way until `answered`. */
  take(): readonly AcknowledgementRange[] {
    this.#inFlight = this.#suspects.pop() ?? this.#waiting.take();
    return this.#inFlight;
  }

  answered(outcome: AcknowledgementOutcome): void {
    const ranges = this.#inFlight;
    this.#inFlight = [];
    if (ranges.length === 0) return; // lost meanwhile
    if (outcome === 'retry') this.#suspects.push(ranges);
    else if (outcome === 'done') this.#count(ranges);
    else this.#isolate(ranges);
  }

  #isolate(ranges: AcknowledgementRange[]): void {
    const [head, tail] = halved(ranges);
    if (tail.length > 0) this.#suspects.push(tail, head);
    else if (ranges[0]?.type !== acknowledgementTypes.gap) this.#counts.invalidState++;
  }

  #count(ranges: readonly AcknowledgementRange[]): void {
    for (const range of ranges) {
      const size = range.last - range.first + 1;
      if (range.type === acknowledgementTypes.accept) this.#counts.accepted += size;
      else if (range.type === acknowledgementTypes.release) this.#counts.released += size;
      else if (range.type === acknowledgementTypes.reject) this.#counts.rejected += size;
    }
  }
}
