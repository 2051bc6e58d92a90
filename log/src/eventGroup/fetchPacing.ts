/** How often a broker is asked, in the long run, and how many fetches may come at once before that counts. */
const FETCHES_PER_SECOND = 125;
const AT_ONCE = 20;
/** An answer of this many bytes is worth its request. */
const LARGE_BYTES = 32_768;

/**
 * Spares a broker from being asked again and again for a few records: a fetch costs it and its reader as much as dozens of records. Fetches
 * that bring little draw on an account which fills up with time; once it is empty each waits until it may draw again, and finds more. Where
 * little happens nothing waits, nor where there is much to read.
 */
export class FetchPacing {
  readonly #now: () => number;
  #saved = AT_ONCE;
  #countedAt: number;

  /** `now`: milliseconds that only go forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#countedAt = now();
  }

  /** A fetch has brought so many bytes of records; gives how many milliseconds to wait before the next one. */
  fetched(bytes: number): number {
    const now = this.#now();
    this.#saved = Math.min(AT_ONCE, this.#saved + ((now - this.#countedAt) * FETCHES_PER_SECOND) / 1_000);
    this.#countedAt = now;
    if (bytes >= LARGE_BYTES) return 0;
    this.#saved -= 1;
    return this.#saved >= 0 ? 0 : (-this.#saved * 1_000) / FETCHES_PER_SECOND;
  }
}
