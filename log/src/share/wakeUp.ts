/** One timer and one turn of the event loop for everything that a session wants to look at again later. */
export class WakeUp {
  readonly #act: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** What the timer is set to; the earliest of `times`. */
  #at = Number.POSITIVE_INFINITY;
  readonly #times = new Set<number>();
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

  /** Acts at that time (of `performance.now()`), whatever else it acts for before. */
  at(time: number): void {
    if (this.#stopped || this.#times.has(time)) return;
    this.#times.add(time);
    if (time < this.#at) this.#set(time);
  }

  #set(time: number): void {
    clearTimeout(this.#timer);
    this.#at = time;
    this.#timer = setTimeout(() => this.#passed(), Math.max(0, Math.ceil(time - performance.now())) + 1);
  }

  #passed(): void {
    const now = performance.now();
    for (const time of this.#times) if (time <= now) this.#times.delete(time);
    this.#at = Number.POSITIVE_INFINITY;
    if (this.#times.size > 0) this.#set(Math.min(...this.#times));
    this.#act();
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
