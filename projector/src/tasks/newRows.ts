/** For so long after a row was there that was expected to be new: another instance may be writing rows of the same tasks. */
const doubtMs = 60_000;

/**
 * Whether tasks whose submission is in a batch are expected to have no rows yet. That is so nearly always where one instance reads
 * the log, and rows that are simply inserted cost PostgreSQL a quarter less than those that may be there. What is there all the
 * same (read again after a crash, or written by another instance from later events) undoes the whole transaction.
 */
export class NewRows {
  #doubtedUntil = 0;

  get areExpected(): boolean {
    return performance.now() >= this.#doubtedUntil;
  }

  /** One was there. */
  refuted(): void {
    this.#doubtedUntil = performance.now() + doubtMs;
  }
}
