import type { AppendCall } from './appendCall.ts';

/** Calls in the order of their deadlines (each has the same time, so in the order they came), with one timer for the first. */
export class Deadlines {
  #calls: AppendCall[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #onExpired: (call: AppendCall) => void;

  constructor(onExpired: (call: AppendCall) => void) {
    this.#onExpired = onExpired;
  }

  add(call: AppendCall): void {
    this.#calls.push(call);
    if (!this.#timer) this.#arm();
  }

  /** A call is over. The timer stays until its time: setting it anew for each call would cost more than waking once. */
  dropFinished(): void {
    while (this.#head < this.#calls.length && this.#calls[this.#head]!.isDone) this.#head++;
    if (this.#head === this.#calls.length) {
      this.#calls = [];
      this.#head = 0;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (this.#head > 1_024 && this.#head * 2 > this.#calls.length) {
      this.#calls = this.#calls.slice(this.#head);
      this.#head = 0;
    }
  }

  #arm(): void {
    const first = this.#calls[this.#head];
    this.#timer = first && setTimeout(() => this.#expire(), Math.max(first.deadline - Date.now(), 1));
  }

  #expire(): void {
    const now = Date.now();
    const expired: AppendCall[] = [];
    for (let at = this.#head; at < this.#calls.length && this.#calls[at]!.deadline <= now; at++) {
      expired.push(this.#calls[at]!);
    }
    this.#timer = undefined;
    for (const call of expired) if (!call.isDone) this.#onExpired(call);
    this.dropFinished();
    if (!this.#timer) this.#arm();
  }
}
