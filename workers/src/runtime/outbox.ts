import { ClosedError, PartialAppendError, RecordTooLargeError, UnknownTopicError } from '@taskflow/log/errors';
import type { Logger } from '@taskflow/log/logger';
import type { AppendedAt, LogAppender, OutgoingRecord } from './ports.ts';

/** Whoever waits for a record to be on the log. */
export interface Owner {
  /** `sentAt`: before the request left that was answered, by `performance.now()`. */
  acknowledged(position: AppendedAt, sentAt: number): void;
  /** The log can never take this record. */
  refused(error: Error): void;
  /** Asked before a record is sent again: true if what it says may no longer be said. It is dropped then. */
  withdraws?(): boolean;
}

export interface OutboxOptions {
  readonly appender: LogAppender;
  readonly logger: Logger;
  /** Records of one append. */
  readonly maxBatch?: number;
  /** More than this many are not taken (`push` answers false). Without it the caller bounds what is under way. */
  readonly maxPending?: number;
  /** Told the broker's clock as of each acknowledgement. */
  readonly onBrokerTime?: (milliseconds: number) => void;
}

/**
 * After an append of several records the next one leaves no sooner than this for each of them, at most 20 ms after it: under load what
 * happens at about the same time leaves together, for a request costs the broker and every reader of the events as much as dozens of records.
 */
const INTERVAL_MS_A_RECORD = 3;
const LONGEST_INTERVAL_MS = 20;
const SEVERAL = 3;
/** After the first failure there is none: others give a hand-over half a second. */
const FIRST_PAUSE_MS = 100;
/** Short, for leases run out while heartbeats wait; each attempt itself lasts for some seconds while the broker is away. */
const LONGEST_PAUSE_MS = 1_000;

/**
 * Events on their way to the log. What is pushed within one turn of the event loop leaves in one append; while that is on
 * its way, what comes next gathers. One append at a time keeps the order of a task's events. While the broker is away
 * nothing is lost: the same records are sent again until they are on the log, and a repeated event changes no fold.
 */
export class Outbox {
  private readonly options: OutboxOptions;
  private records: OutgoingRecord[] = [];
  private owners: (Owner | undefined)[] = [];
  private scheduled = false;
  private sending = false;
  private failures = 0;
  /** The next append leaves no sooner, by `performance.now()`. */
  private notBefore = Number.NEGATIVE_INFINITY;
  private closed = false;
  private pause: NodeJS.Timeout | undefined;
  private readonly emptied: (() => void)[] = [];
  /** When the oldest record that is not on the log was pushed or last made progress, by `performance.now()`; undefined when empty. */
  private waitingSince: number | undefined;

  constructor(options: OutboxOptions) {
    this.options = options;
  }

  /** Records that are not yet on the log. */
  get pending(): number {
    return this.records.length;
  }

  /** Milliseconds since anything moved while something waited; 0 when all is well. */
  get stuckMs(): number {
    return this.waitingSince === undefined ? 0 : performance.now() - this.waitingSince;
  }

  push(record: OutgoingRecord, owner?: Owner): boolean {
    if (this.closed || this.records.length >= (this.options.maxPending ?? Number.POSITIVE_INFINITY)) return false;
    this.records.push(record);
    this.owners.push(owner);
    this.waitingSince ??= performance.now();
    if (!this.scheduled && !this.sending && this.pause === undefined) {
      this.scheduled = true;
      setImmediate(this.sendInTime);
    }
    return true;
  }

  /** Resolves when all that was pushed is on the log, or after `limitMs`. */
  async flush(limitMs: number): Promise<boolean> {
    if (this.records.length === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    const empty = new Promise<void>((resolve) => {
      this.emptied.push(resolve);
    });
    this.retryNow();
    await Promise.race([empty, late]);
    clearTimeout(timer);
    return this.records.length === 0;
  }

  /** Takes nothing more and sends nothing again. */
  close(): void {
    this.closed = true;
    clearTimeout(this.pause);
    this.pause = undefined;
  }

  private retryNow(): void {
    if (this.pause === undefined) return;
    clearTimeout(this.pause);
    this.pause = undefined;
    this.send();
  }

  private readonly sendInTime = (): void => {
    this.scheduled = false;
    const waitMs = this.notBefore - performance.now();
    if (waitMs <= 0) this.send();
    else this.pause ??= setTimeout(this.send, waitMs);
  };

  private readonly send = (): void => {
    this.scheduled = false;
    this.pause = undefined;
    if (this.sending) return;
    if (this.failures > 0) this.dropWithdrawn();
    if (this.records.length === 0) return;
    this.sending = true;
    const sentAt = performance.now();
    const count = Math.min(this.records.length, this.options.maxBatch ?? 5_000);
    if (count >= SEVERAL) this.notBefore = sentAt + Math.min(LONGEST_INTERVAL_MS, count * INTERVAL_MS_A_RECORD);
    this.options.appender.append(this.records.slice(0, count)).then(
      (positions) => {
        const last = positions.at(-1);
        if (last) this.options.onBrokerTime?.(last.appendedAt);
        this.done(positions, sentAt);
      },
      (error: unknown) => this.failed(count, error, sentAt),
    );
  };

  private done(positions: readonly AppendedAt[], sentAt: number): void {
    const count = positions.length;
    const owners = this.owners.slice(0, count);
    this.records = this.records.slice(count);
    this.owners = this.owners.slice(count);
    this.progressed();
    for (let i = 0; i < count; i++) owners[i]?.acknowledged(positions[i]!, sentAt);
    this.next();
  }

  private progressed(): void {
    this.failures = 0;
    this.sending = false;
    this.waitingSince = this.records.length === 0 ? undefined : performance.now();
  }

  private next(): void {
    if (this.records.length > 0) this.sendInTime();
    else for (const resolve of this.emptied.splice(0)) resolve();
  }

  private failed(count: number, error: unknown, sentAt: number): void {
    const outcomes = error instanceof PartialAppendError ? error.outcomes : undefined;
    const kept: number[] = [];
    const settled: (() => void)[] = [];
    for (let i = 0; i < count; i++) {
      const outcome = outcomes?.[i];
      const refused = outcomes ? outcome : error;
      const owner = this.owners[i];
      if (isHopeless(refused)) settled.push(() => owner?.refused(refused));
      else if (outcome === undefined || outcome instanceof Error) kept.push(i);
      else settled.push(() => owner?.acknowledged(outcome, sentAt));
    }
    this.records = [...kept.map((i) => this.records[i]!), ...this.records.slice(count)];
    this.owners = [...kept.map((i) => this.owners[i]), ...this.owners.slice(count)];
    if (settled.length > 0 || kept.length === 0) this.progressed();
    this.sending = false;
    if (kept.length > 0) this.tryAgainLater(kept.length, error);
    for (const settle of settled) settle();
    if (kept.length === 0) this.next();
  }

  private tryAgainLater(count: number, error: unknown): void {
    if (this.closed || error instanceof ClosedError) return;
    this.failures++;
    const pause = pauseAfter(this.failures);
    this.pause = setTimeout(this.send, pause);
    this.options.logger.warn(`${count} events could not be appended; trying again in ${Math.round(pause)} ms`, {
      pending: this.records.length,
      failures: this.failures,
      error,
    });
  }

  private dropWithdrawn(): void {
    const kept = this.owners.map((owner) => !owner?.withdraws?.());
    if (!kept.includes(false)) return;
    this.records = this.records.filter((_, i) => kept[i]);
    this.owners = this.owners.filter((_, i) => kept[i]);
    if (this.records.length === 0) {
      this.progressed();
      this.next();
    }
  }
}

function pauseAfter(failures: number): number {
  if (failures === 1) return 0;
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 2)) * (0.5 + Math.random() / 2);
}

/** No repetition helps. (Anything else may pass: a broker away, also a missing right.) */
function isHopeless(outcome: unknown): outcome is Error {
  return outcome instanceof RecordTooLargeError || outcome instanceof UnknownTopicError;
}
