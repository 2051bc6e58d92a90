import { setTimeout as delay } from 'node:timers/promises';

/**
 * Pauses that can be cut short. Under a steady trickle a reader that asks for more at once is answered with a few records a
 * thousand times a second; nothing here is in such a hurry, unless a timer waits to fire.
 */
export class Breather {
  readonly #ms: number;
  #pause: Promise<void> | undefined;
  #end = new AbortController();

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Resolves when the pause is over that is under way, or else begins now. */
  take(): Promise<void> {
    if (this.#pause === undefined) {
      this.#end = new AbortController();
      this.#pause = delay(this.#ms, undefined, { signal: this.#end.signal })
        .catch(() => {})
        .finally(() => {
          this.#pause = undefined;
        });
    }
    return this.#pause;
  }

  end(): void {
    this.#end.abort();
  }
}
