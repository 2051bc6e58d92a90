import { BackPressureError } from '../errors.ts';
import type { AppendCall } from './appendCall.ts';

/**
 * Bounds the memory of unacknowledged records. A call enters at once while less than `maxBytesInFlight` is in flight (one
 * that is larger by itself enters alone); after that calls wait their turn, in order; and when as much again is waiting,
 * further ones are refused with `BackPressureError`.
 */
export class Admission {
  readonly #maxBytesInFlight: number;
  readonly #maxBytesWaiting: number;
  #inFlight = 0;
  #waitingBytes = 0;
  /** In the order they came. */
  readonly #waiting = new Map<AppendCall, () => void>();

  constructor(maxBytesInFlight: number, maxBytesWaiting: number) {
    this.#maxBytesInFlight = maxBytesInFlight;
    this.#maxBytesWaiting = maxBytesWaiting;
  }

  get bytesInFlight(): number {
    return this.#inFlight;
  }

  get bytesWaiting(): number {
    return this.#waitingBytes;
  }

  /** Throws `BackPressureError` where a call of this size would be refused. */
  check(bytes: number): void {
    if (this.#hasRoom(bytes) || this.#waitingBytes === 0 || this.#waitingBytes + bytes <= this.#maxBytesWaiting) return;
    throw new BackPressureError(
      `${this.#inFlight} bytes are on their way to Kafka and ${this.#waitingBytes} wait to follow: try again later`,
    );
  }

  /** Calls `enter` when there is room: at once, or later. */
  admit(call: AppendCall, enter: () => void): void {
    if (this.#hasRoom(call.bytes)) {
      this.#inFlight += call.bytes;
      enter();
    } else {
      this.#waitingBytes += call.bytes;
      this.#waiting.set(call, enter);
    }
  }

  /** A call is over: gives its room to those who wait. */
  leave(call: AppendCall): void {
    if (this.#waiting.delete(call)) this.#waitingBytes -= call.bytes;
    else this.#inFlight -= call.bytes;
    for (const [next, enter] of this.#waiting) {
      if (!this.#fits(next.bytes)) return;
      this.#waiting.delete(next);
      this.#waitingBytes -= next.bytes;
      this.#inFlight += next.bytes;
      enter();
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#waiting.size === 0 && this.#fits(bytes);
  }

  #fits(bytes: number): boolean {
    return this.#inFlight === 0 || this.#inFlight + bytes <= this.#maxBytesInFlight;
  }
}
