import type { AppendCall } from './appendCall.ts';

/** Calls in the order of their deadlines (each has the same time, so in the order they came), with one timer for the first. */
export class Deadlines {
  /** A call leaves it at its end, whatever goes on with those before it: a call may hold thousands of records. */
  readonly #calls = new Set<AppendCall>();
  #timer: NodeJS.Timeout | undefined;
  readonly #onExpired: (call: AppendCall) => void;

  constructor(onExpired: (call: AppendCall) => void) {
    this.#onExpired = onExpired;
  }

  add(call: AppendCall): void {
    this.#calls.add(call);
    if (!this.#timer) this.#arm();
  }

  /** A call is over. The timer stays until its time: setting it anew for each call would cost more than waking once. */
  drop(call: AppendCall): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    for (const { deadline } of this.#calls) {
      this.#timer = setTimeout(() => this.#expire(), Math.max(deadline - Date.now(), 1));
      return;
    }
  }

  #expire(): void {
    this.#timer = undefined;
    const now = Date.now();
    const expired: AppendCall[] = [];
    for (const call of this.#calls) {
      if (call.deadline > now) break;
      expired.push(call);
    }
    for (const call of expired) this.#onExpired(call);
    if (!this.#timer) this.#arm();
  }
}
