import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { Logger } from '@taskflow/log/logger';
import { fetchOrder } from './fetchOrder.ts';
import type { DeliveredRecord, QueueSet } from './ports.ts';
import type { Slots } from './slots.ts';

export interface DispatchOptions {
  readonly queues: QueueSet;
  readonly slots: Slots;
  /** Begins the runs of what was fetched. Takes a slot for each. */
  take(records: readonly DeliveredRecord[]): void;
  readonly logger: Logger;
}

/** A wait for records ends after so long, and begins again: for the health of the worker, no more. */
const MAX_WAIT_MS = 5_000;
const BACKOFF = { baseMs: 50, capMs: 2_000 };

/** Brings the records of a type's queues to its free slots, and asks for nothing while there is none. */
export class Dispatch {
  private readonly options: DispatchOptions;
  private readonly stopping = new AbortController();
  private loop: Promise<void> | undefined;
  /** Since when there has been a free slot without a break, by `performance.now()`; progress is judged from there. */
  wantsSince = performance.now();

  constructor(options: DispatchOptions) {
    this.options = options;
  }

  start(): void {
    this.loop ??= this.run();
  }

  /** Fetches nothing more. Resolves when nothing more is given to `take`. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.options.slots.interrupt();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { queues, slots, take, logger } = this.options;
    const { signal } = this.stopping;
    let failures = 0;
    for (let round = 0; !signal.aborted; round++) {
      if (slots.free === 0) {
        await slots.untilFree();
        this.wantsSince = performance.now();
        continue;
      }
      // The pause of a type (PROTOCOL.md, "Pause") is to wait here.
      try {
        const order = fetchOrder(round);
        const records = await queues.fetch({ maxRecords: slots.free, order, maxWaitMs: MAX_WAIT_MS, signal });
        failures = 0;
        if (records.length > 0) take(records);
      } catch (error) {
        if (signal.aborted) return;
        const pause = backoffMs(++failures, BACKOFF);
        logger.warn('The queues could not be read; trying again', { error, pauseMs: Math.round(pause) });
        await sleep(pause, undefined, { signal }).catch(() => {});
      }
    }
  }
}
