import { setTimeout as sleep } from 'node:timers/promises';
import { fetchOrder } from '@taskflow/core/fetchOrder';
import { backoffMs } from '@taskflow/log/backoff';
import type { Logger } from '@taskflow/log/logger';
import type { Lead } from './lead.ts';
import type { DeliveredRecord, QueueSet } from './ports.ts';
import type { Slots } from './slots.ts';

export interface DispatchOptions {
  readonly queues: QueueSet;
  readonly slots: Slots;
  /** Told of each fetch. */
  readonly lead: Lead;
  /** How many records wait for no more than a slot. */
  inHand(): number;
  /** Begins the runs of what was fetched, each in a slot; what there is no slot for is in hand. */
  take(records: readonly DeliveredRecord[]): void;
  /** Nothing is to be fetched at present: the type is paused, or something runs alone. `reconsider` is called when that changes. */
  isHeld(): boolean;
  readonly logger: Logger;
}

/** A wait for records ends after so long, and begins again: for the health of the worker, no more. */
const MAX_WAIT_MS = 5_000;
const BACKOFF = { baseMs: 50, capMs: 2_000 };
/**
 * What a fetch finds in queues that are as good as empty is all that came since the one before. The next one then leaves no sooner than
 * this for each of those records, at most 10 ms after it: where tasks come in thousands a second, those of 10 ms come together, for a
 * fetch costs the broker and this process as much as dozens of records.
 */
const INTERVAL_MS_A_RECORD = 1;
const LONGEST_INTERVAL_MS = 10;

/**
 * Brings the records of a type's queues to its free slots, and where slots come free all the time a few ahead of them. Asks for
 * nothing while it is held.
 */
export class Dispatch {
  private readonly options: DispatchOptions;
  private stopped = false;
  /** Aborted to end a fetch that waits. */
  private fetching = new AbortController();
  private goOn: (() => void) | undefined;
  private loop: Promise<void> | undefined;
  /** Since when there has been a free slot without a break, by `performance.now()`; progress is judged from there. */
  wantsSince = performance.now();

  constructor(options: DispatchOptions) {
    const { slots, queues } = options;
    this.options = options;
    slots.onFreed(() => {
      if (slots.free > 0) queues.slotsFreed();
    });
  }

  /** It asks for nothing, and is not to. */
  get isIdle(): boolean {
    return this.wanted === 0 || this.options.isHeld();
  }

  /** How many records to ask for now. None while slots are taken and a few records are in hand for the next ones. */
  private get wanted(): number {
    const { slots, lead, inHand } = this.options;
    const held = inHand();
    const { free } = slots;
    if (!this.isBusy) return Math.max(0, free - held);
    const wanted = free + lead.records - held;
    return wanted >= (free > 0 ? 1 : lead.step) ? wanted : 0;
  }

  /** More than half of the slots are taken. */
  private get isBusy(): boolean {
    const { slots } = this.options;
    return 2 * slots.inUse > slots.size;
  }

  start(): void {
    this.loop ??= this.run();
  }

  /** Whether it is held may have changed: ends a fetch that waits, or goes on at once. */
  reconsider(): void {
    if (this.options.isHeld()) this.fetching.abort();
    else this.goOn?.();
  }

  /** Fetches nothing more. Resolves when nothing more is given to `take`. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.fetching.abort();
    this.options.slots.interrupt();
    this.goOn?.();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { slots } = this.options;
    let failures = 0;
    for (let round = 0; !this.stopped; round++) {
      if (this.options.isHeld()) await this.untilReleased();
      else if (this.wanted === 0) await slots.untilFreed();
      else {
        failures = await this.fetch(round, failures);
        continue;
      }
      this.wantsSince = performance.now();
    }
  }

  private async untilReleased(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.goOn = resolve;
    });
    this.goOn = undefined;
  }

  /** Gives how often in a row it has failed by now. */
  private async fetch(round: number, failures: number): Promise<number> {
    const { queues, slots, lead, take, logger } = this.options;
    if (this.fetching.signal.aborted) this.fetching = new AbortController();
    const { signal } = this.fetching;
    try {
      const order = fetchOrder(round);
      const asked = this.wanted;
      const askedAt = performance.now();
      const records = await queues.fetch({ maxRecords: asked, order, maxWaitMs: MAX_WAIT_MS, signal });
      const now = performance.now();
      lead.answered({ asked, given: records.length, tookMs: now - askedAt, freed: slots.freed }, now);
      if (records.length > 0) take(records);
      const waitMs = askedAt + intervalMs(asked, records.length) - performance.now();
      if (waitMs > 0 && !this.isBusy) await sleep(Math.ceil(waitMs));
      return 0;
    } catch (error) {
      if (this.stopped) return failures;
      const pause = backoffMs(failures + 1, BACKOFF);
      logger.warn('The queues could not be read; trying again', { error, pauseMs: Math.round(pause) });
      await sleep(pause, undefined, { signal }).catch(() => {});
      return failures + 1;
    }
  }
}

/** From the start of a fetch to that of the next one, at least. None where slots may be free while records wait. */
function intervalMs(asked: number, given: number): number {
  return 2 * given >= asked ? 0 : Math.min(LONGEST_INTERVAL_MS, given * INTERVAL_MS_A_RECORD);
}
