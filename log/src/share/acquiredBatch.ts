import { type Acknowledgements, type AcknowledgementType, acknowledgementTypes } from './acknowledgements.ts';

/**
 * Records that the broker acquired for this member together. It keeps account of them as one for as long as they are acknowledged
 * together, and offset by offset once only some of them are, which costs it many times as much.
 */
export class AcquiredBatch {
  readonly #first: number;
  readonly #last: number;
  /** Records that are not settled. */
  #open = 0;
  /** Records that were delivered of it. */
  #size = 0;
  /** Settled, and not yet given on to be sent. */
  #offsets: number[] = [];
  #types: AcknowledgementType[] | undefined;
  /** When the first of those was settled, on the clock of `performance.now()`. */
  settledSince = 0;

  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
  }

  get isSettled(): boolean {
    return this.#open === 0;
  }

  /** One more record of it was delivered. */
  delivered(): void {
    this.#open++;
    this.#size++;
  }

  settle(offset: number, type: AcknowledgementType, now: number): void {
    this.#open--;
    if (this.#offsets.length === 0) this.settledSince = now;
    if (type !== acknowledgementTypes.accept && this.#types === undefined) {
      this.#types = this.#offsets.map(() => acknowledgementTypes.accept);
    }
    this.#offsets.push(offset);
    this.#types?.push(type);
  }

  /** Gives on what is settled, and how many records that is. */
  giveTo(acknowledgements: Acknowledgements): number {
    const offsets = this.#offsets;
    const types = this.#types;
    this.#offsets = [];
    this.#types = undefined;
    const isWhole = offsets.length === this.#size && this.#size === this.#last - this.#first + 1;
    if (isWhole && types === undefined) {
      acknowledgements.addRanges([{ first: this.#first, last: this.#last, type: acknowledgementTypes.accept }]);
    } else {
      for (const [index, offset] of offsets.entries()) {
        acknowledgements.add(offset, types?.[index] ?? acknowledgementTypes.accept);
      }
    }
    return offsets.length;
  }

  /** Drops what was not given on, and gives how many records that is. */
  drop(): number {
    const count = this.#offsets.length;
    this.#offsets = [];
    this.#types = undefined;
    return count;
  }
}
