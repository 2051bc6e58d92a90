import type { KafkajsPushedRequest, KafkajsRequestQueue } from 'kafkajs/src/network/connection.js';

interface Waiting {
  readonly name: string;
  timeoutMs: number;
  /** Of `performance.now()`. */
  dueAt: number;
  timer: NodeJS.Timeout;
  resolve(payload: Buffer): void;
  reject(error: Error): void;
}

/**
 * The requests of one connection that wait for their answer, in the place of kafkajs's request queue: that one polls every
 * millisecond once the first answer has come (kafkajs #1704), and lets a closing connection wait for its pending requests,
 * which on a dead peer is for ever.
 */
export class InFlight implements KafkajsRequestQueue {
  readonly #waiting = new Map<number, Waiting>();
  readonly #defaultTimeoutMs: number;
  readonly #onTimeout: (name: string, timeoutMs: number) => void;
  readonly #onReject: (error: Error) => void;

  /** `onTimeout` is called when an answer is overdue, `onReject` when kafkajs sees the connection end; both must end it. */
  constructor(
    defaultTimeoutMs: number,
    onTimeout: (name: string, timeoutMs: number) => void,
    onReject: (error: Error) => void,
  ) {
    this.#defaultTimeoutMs = defaultTimeoutMs;
    this.#onTimeout = onTimeout;
    this.#onReject = onReject;
  }

  add(correlationId: number, name: string, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#onTimeout(name, timeoutMs), timeoutMs);
      this.#waiting.set(correlationId, {
        name,
        timeoutMs,
        dueAt: performance.now() + timeoutMs,
        timer,
        resolve,
        reject,
      });
    });
  }

  /** All that waits may take so much longer. */
  postpone(milliseconds: number): void {
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer);
      waiting.timeoutMs += milliseconds;
      waiting.dueAt += milliseconds;
      waiting.timer = setTimeout(
        () => this.#onTimeout(waiting.name, waiting.timeoutMs),
        waiting.dueAt - performance.now(),
      );
    }
  }

  /** False if nothing waits for this answer. */
  answer(correlationId: number, payload: Buffer): boolean {
    const waiting = this.#waiting.get(correlationId);
    if (!waiting) return false;
    this.#waiting.delete(correlationId);
    clearTimeout(waiting.timer);
    waiting.resolve(payload);
    return true;
  }

  failAll(error: Error): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, timer } of all) {
      clearTimeout(timer);
      reject(error);
    }
  }

  // From here on: what kafkajs calls, for its SASL requests and when the socket ends.

  push({ entry, sendRequest }: KafkajsPushedRequest): void {
    const { correlationId, apiName, resolve, reject } = entry;
    this.add(correlationId, apiName, this.#defaultTimeoutMs).then(
      (payload) => resolve({ correlationId, entry, size: payload.length, payload }),
      reject,
    );
    sendRequest();
  }

  rejectAll(error: Error): void {
    this.#onReject(error);
  }

  maybeThrottle(): void {}

  waitForPendingRequests(): Promise<void> {
    return Promise.resolve();
  }

  scheduleRequestTimeoutCheck(): void {}

  destroy(): void {}
}
