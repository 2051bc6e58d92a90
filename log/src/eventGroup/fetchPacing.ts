/** How often a broker is asked, in the long run. */
const FETCHES_PER_SECOND = 125;
/** As many fetches as come in this time may come at once before that counts. */
const SAVED_MS = 160;
/** A fetch that brings as much as comes between two of them at this rate, or more, is worth its request. */
const LARGE_BYTES_PER_SECOND = 4 * 1024 * 1024;

/**
 * Spares a broker from being asked again and again for a few records: a fetch costs it and its reader as much as dozens of records. Fetches
 * that bring little draw on an account which fills up with time; once it is empty each waits until it may draw again, and finds more. Where
 * little happens nothing waits, nor where there is much to read.
 */
export class FetchPacing {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #atOnce: number;
  readonly #largeBytes: number;
  #saved: number;
  #countedAt: number;

  /** `now`: milliseconds that only go forward. */
  constructor(perSecond = FETCHES_PER_SECOND, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#atOnce = Math.ceil((perSecond * SAVED_MS) / 1_000);
    this.#largeBytes = LARGE_BYTES_PER_SECOND / perSecond;
    this.#saved = this.#atOnce;
    this.#countedAt = now();
  }

  /** A fetch has brought so many bytes of records; gives how many milliseconds to wait before the next one. */
  fetched(bytes: number): number {
    const now = this.#now();
    this.#saved = Math.min(this.#atOnce, this.#saved + ((now - this.#countedAt) * this.#perSecond) / 1_000);
    this.#countedAt = now;
    if (bytes >= this.#largeBytes) return 0;
    // Not by more than one, where waits are cut short.
    this.#saved = Math.max(this.#saved - 1, -1);
    return this.#saved >= 0 ? 0 : (-this.#saved * 1_000) / this.#perSecond;
  }
}
