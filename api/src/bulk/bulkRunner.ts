import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { Logger } from '@taskflow/service/logger';
import type { ApiMetrics } from '../metrics.ts';
import { BatchBusyError, type BatchOutcome, type BatchPorts, doBatch } from './bulkBatch.ts';
import {
  type BulkItem,
  type LeasedBulk,
  leaseBulk,
  nextItems,
  releaseBulks,
  renewLease,
  settleItems,
} from './bulkTable.ts';

interface Options extends BatchPorts {
  /** Names this api among all that there are. */
  readonly holder: string;
  readonly metrics: Pick<ApiMetrics, 'bulkTasks'>;
  readonly logger: Logger;
  readonly batchSize: number;
  /** After so long without a renewal the work of an api that died is taken up by another. */
  readonly leaseMs: number;
}

/** How soon work is seen that another api has taken in, or left. */
const LOOK_EVERY_MS = 1_000;
const BACKOFF = { baseMs: 200, capMs: 5_000 };

/** Works on bulks, a batch of one and then a batch of the next. Every api has one: a bulk is whose lease it is. */
export class BulkRunner {
  readonly #options: Options;
  readonly #stop = new AbortController();
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** There is something to do. */
  wake(): void {
    this.#wake();
  }

  /** Ends with the batch that is under way, and leaves the rest to others. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    await releaseBulks(this.#options.pool, this.#options.holder).catch(() => {});
  }

  async #run(): Promise<void> {
    const { logger } = this.#options;
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      let pauseMs = LOOK_EVERY_MS;
      try {
        if (await this.#one()) pauseMs = 0;
        failures = 0;
      } catch (error) {
        failures += 1;
        pauseMs = backoffMs(failures, BACKOFF);
        if (!(error instanceof BatchBusyError)) logger.warn('A batch of a bulk failed, it is done again', { error });
      }
      if (pauseMs > 0) await this.#pause(pauseMs);
    }
  }

  /** One batch of one bulk; false where there is nothing to do. */
  async #one(): Promise<boolean> {
    const { pool, holder, leaseMs, batchSize, metrics, logger } = this.#options;
    const bulk = await leaseBulk(pool, holder, leaseMs);
    if (bulk === undefined) return false;
    const renewal = setInterval(() => {
      renewLease(pool, bulk, holder, leaseMs).catch(() => {}); // then it ends, and the batch is done twice
    }, leaseMs / 3);
    let outcome: BatchOutcome;
    let items: readonly BulkItem[];
    try {
      items = await nextItems(pool, bulk, batchSize);
      outcome = await doBatch(this.#options, bulk, items);
    } finally {
      clearInterval(renewal);
    }
    if (!(await settleItems(pool, bulk, holder, outcome))) {
      logger.warn('A bulk was taken over by another api', fieldsOf(bulk));
      return true;
    }
    const { action } = bulk;
    metrics.bulkTasks.inc({ action, outcome: 'done' }, outcome.done.length);
    metrics.bulkTasks.inc({ action, outcome: 'failed' }, outcome.failed.length);
    const counts = { done: outcome.done.length, failed: outcome.failed.length };
    logger.info('A batch of a bulk is done', { ...fieldsOf(bulk), ...counts, last: items.length < batchSize });
    return true;
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    if (!this.#stop.signal.aborted) await sleep(ms, undefined, { signal: woken.signal }).catch(() => {});
    this.#wake = () => {};
  }
}

function fieldsOf({ id, action, userId, requestId }: LeasedBulk) {
  return { bulkId: id, action, actor: userId, requestId };
}
