/** For so long after a transaction has failed: another instance may be writing rows of the same tasks. */
const doubtMs = 60_000;
/** More rows without a submission are not remembered: rather are all inserted with care for a while. */
const mostRemembered = 20_000;

/**
 * Which tasks whose submission is in a batch are expected to have no rows yet: under load some have one, since events of theirs
 * were read first, and those this instance remembers. Rows that are simply inserted cost PostgreSQL a quarter less than those
 * that may be there. What is there all the same (read again after a crash, or written by another instance) undoes the whole
 * transaction.
 */
export class NewRows {
  #doubtedUntil = 0;
  /** Tasks that were written before their submission came. */
  readonly #early = new Set<string>();

  get areExpected(): boolean {
    return performance.now() >= this.#doubtedUntil;
  }

  /** A transaction has failed: whatever it was, the next ones take nothing for granted. */
  doubt(): void {
    this.#doubtedUntil = performance.now() + doubtMs;
    this.#early.clear();
  }

  /** Rows are being written: the submissions of some have come, and those of others, by their ids, have not. */
  written(complete: readonly { readonly id: string }[], early: Iterable<string>): void {
    for (const { id } of complete) this.#early.delete(id);
    for (const id of early) this.#early.add(id);
    if (this.#early.size > mostRemembered) this.doubt();
  }

  /** Whether none of these tasks is expected to have a row. */
  areAllNew(tasks: readonly { readonly id: string }[]): boolean {
    return this.areExpected && this.known(tasks).length === 0;
  }

  /** Of tasks whose submission has come, those that have rows by what is remembered. */
  known<T extends { readonly id: string }>(tasks: readonly T[]): T[] {
    return this.#early.size === 0 ? [] : tasks.filter(({ id }) => this.#early.has(id));
  }
}
