import type { AppendCall } from './appendCall.ts';

/** Fewer entries taken than this are not worth moving the rest for. */
const compactAfter = 4_096;

/** Records that wait for a place in a batch: (call, index) pairs in order, in two plain arrays. */
export class EntryQueue {
  /** Undefined where an entry was taken: it must not hold the records of its call. */
  #calls: (AppendCall | undefined)[] = [];
  #indexes: number[] = [];
  #head = 0;

  get length(): number {
    return this.#calls.length - this.#head;
  }

  push(call: AppendCall, index: number): void {
    this.#calls.push(call);
    this.#indexes.push(index);
  }

  /** The call of the first entry; undefined when there is none. */
  firstCall(): AppendCall | undefined {
    return this.#calls[this.#head];
  }

  firstIndex(): number {
    return this.#indexes[this.#head]!;
  }

  shift(): void {
    this.#calls[this.#head++] = undefined;
    if (this.#head === this.#calls.length) {
      this.#calls = [];
      this.#indexes = [];
      this.#head = 0;
    } else if (this.#head >= compactAfter && this.#head * 2 >= this.#calls.length) {
      this.#calls = this.#calls.slice(this.#head);
      this.#indexes = this.#indexes.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Drops entries from the front of which nobody waits any more. */
  dropSettled(): void {
    for (let call = this.firstCall(); call?.isSettled(this.firstIndex()); call = this.firstCall()) this.shift();
  }

  /** Puts entries back before all others. */
  unshift(calls: readonly AppendCall[], indexes: readonly number[]): void {
    this.#calls = [...calls, ...this.#calls.slice(this.#head)];
    this.#indexes = [...indexes, ...this.#indexes.slice(this.#head)];
    this.#head = 0;
  }

  /** Fails all entries, and forgets them. */
  failAll(error: Error): void {
    const calls = this.#calls.slice(this.#head);
    const indexes = this.#indexes.slice(this.#head);
    this.#calls = [];
    this.#indexes = [];
    this.#head = 0;
    for (let at = 0; at < calls.length; at++) calls[at]?.failed(indexes[at]!, error);
  }
}
