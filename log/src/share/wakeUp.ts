/** One timer and one turn of the event loop for everything that a session wants to look at again later. */
export class WakeUp {
  readonly #act: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;
  #soon = false;
  #stopped = false;
  readonly #waiting: (() => void)[] = [];

  constructor(act: () => void) {
    this.#act = act;
  }

  /** Acts at the end of this turn of the event loop. */
  soon(): void {
    if (this.#soon || this.#stopped) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#act();
    });
  }

  /** Acts at that time (of `performance.now()`), or sooner if that was wanted before. */
  at(time: number): void {
    if (this.#stopped || time >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = time;
    this.#timer = setTimeout(
      () => {
        this.#at = Number.POSITIVE_INFINITY;
        this.#act();
      },
      Math.max(0, Math.ceil(time - performance.now())) + 1,
    );
  }

  /** Resolves when something has `passed`, at the given time at the latest. */
  next(latest: number): Promise<void> {
    this.soon();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, latest - performance.now()));
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  passed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.passed();
  }
}
