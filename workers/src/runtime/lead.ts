/** A fetch brings what is used up within about this time, beside the time that it takes itself. */
const stepMs = 10;
/** Averages go by about so long. */
const memoryMs = 100;
/** Never more than this part of the slots: the next tasks may take longer than those before. */
const largestPart = 1 / 2;

interface Answer {
  readonly asked: number;
  readonly given: number;
  readonly tookMs: number;
  readonly freed: number;
}

/**
 * How many records to have in hand before there are slots for them, so that a slot that comes free need not wait for a fetch:
 * as many as come free until a fetch that leaves now is answered, and for a step of 10 ms more, so that fetches are few. None where
 * slots come free one by one and seldom, and none unless the queues have just had what they were asked for.
 */
export class Lead {
  readonly #most: number;
  #answeredAt: number;
  #freed = 0;
  #freedPerMs = 0;
  #fetchMs = 0;
  #isBacklog = false;

  constructor(slots: number, now: number) {
    this.#most = Math.floor(slots * largestPart);
    this.#answeredAt = now;
  }

  /** A fetch was answered after so long. `freed` is how many slots have come free in all by now. */
  answered({ asked, given, tookMs, freed }: Answer, now: number): void {
    const sinceMs = now - this.#answeredAt;
    if (sinceMs > 0) {
      const kept = Math.exp(-sinceMs / memoryMs);
      this.#freedPerMs = kept * this.#freedPerMs + (1 - kept) * ((freed - this.#freed) / sinceMs);
      this.#fetchMs = kept * this.#fetchMs + (1 - kept) * tookMs;
      this.#answeredAt = now;
      this.#freed = freed;
    }
    // A part of the slots may have been spent on asking queues that were empty.
    this.#isBacklog = 2 * given >= asked;
  }

  /** Records to have in hand. */
  get records(): number {
    if (!this.#isBacklog) return 0;
    return Math.min(this.#most, Math.floor(this.#freedPerMs * (this.#fetchMs + stepMs)));
  }

  /** How many slots come free in so many milliseconds, as far as one can tell. */
  freedWithin(milliseconds: number): number {
    return Math.floor(this.#freedPerMs * milliseconds);
  }

  /** How many of them may be missing before they are asked for; one at least. */
  get step(): number {
    return Math.max(1, Math.min(Math.ceil(this.records / 2), Math.floor(this.#freedPerMs * stepMs)));
  }
}
