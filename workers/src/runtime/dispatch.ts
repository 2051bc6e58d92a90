import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@taskflow/log/logger';
import { PRIORITIES, type Priority } from '@taskflow/schemas/topics';
import { fetchOrder } from './fetchOrder.ts';
import type { DeliveredRecord, TaskQueue } from './ports.ts';
import type { Slots } from './slots.ts';

export interface DispatchOptions {
  readonly queues: Readonly<Record<Priority, TaskQueue>>;
  readonly slots: Slots;
  /** Begins the runs of what was fetched. Takes a slot for each. */
  take(priority: Priority, records: readonly DeliveredRecord[]): void;
  readonly logger: Logger;
  /** How long a queue is waited on. Accepts ride on fetches, so it also bounds how late they are. */
  readonly maxWaitMs: number;
}

const LONGEST_PAUSE_MS = 2_000;

/**
 * Brings the records of a type's three queues to its slots. Queues are asked in order of priority without waiting; when
 * all were empty they are waited on together. Records asked for are never more than the slots that are free: a queue that
 * is waited on has slots reserved for it, an eighth at most, since it wakes on the first record.
 */
export class Dispatch {
  private readonly options: DispatchOptions;
  private readonly stopping = new AbortController();
  private readonly waits = new Map<Priority, Promise<void>>();
  private loop: Promise<void> | undefined;
  private round = 0;
  private turn = 0;
  private failures = 0;
  private waiter: (() => void) | undefined;
  /** Since when there has been a free slot without a break, by `performance.now()`; progress is judged from there. */
  wantsSince = performance.now();

  constructor(options: DispatchOptions) {
    this.options = options;
  }

  start(): void {
    this.loop ??= this.run();
  }

  /** Fetches nothing more. Resolves when what was already asked for is here: it has been given to `take`. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.options.slots.interrupt();
    this.wake();
    await this.loop;
    await Promise.all(this.waits.values());
  }

  private async run(): Promise<void> {
    const { slots } = this.options;
    while (!this.stopping.signal.aborted) {
      if (slots.free === 0) {
        await slots.untilFree();
        this.wantsSince = performance.now();
        continue;
      }
      if (await this.askAll()) continue;
      this.waitOnAll();
      if (slots.free > 0 || this.waits.size === PRIORITIES.length) await this.woken();
    }
  }

  /** One round without waiting. Did any queue give something? */
  private async askAll(): Promise<boolean> {
    const { slots } = this.options;
    for (const priority of fetchOrder(this.round++)) {
      if (this.waits.has(priority)) continue;
      const count = slots.free;
      if (count === 0 || this.stopping.signal.aborted) return true;
      slots.reserve(count);
      const records = await this.fetch(priority, count, 0);
      slots.unreserve(count);
      if (records.length > 0) {
        this.options.take(priority, records);
        return true;
      }
    }
    return false;
  }

  private waitOnAll(): void {
    const { slots, maxWaitMs } = this.options;
    const idle = PRIORITIES.filter((priority) => !this.waits.has(priority));
    const share = Math.min(Math.floor(slots.free / Math.max(1, idle.length)), Math.ceil(slots.size / 8));
    if (share > 0) {
      for (const priority of idle) this.waits.set(priority, this.wait(priority, share, maxWaitMs));
    } else if (idle.length > 0 && slots.free > 0) {
      // Fewer slots than queues: one after the other, briefly.
      const priority = idle[this.turn++ % idle.length]!;
      this.waits.set(priority, this.wait(priority, 1, Math.min(50, maxWaitMs)));
    }
  }

  private async wait(priority: Priority, count: number, maxWaitMs: number): Promise<void> {
    const { slots } = this.options;
    slots.reserve(count);
    let records: readonly DeliveredRecord[] = [];
    const brief = maxWaitMs < this.options.maxWaitMs;
    do {
      records = await this.fetch(priority, count, maxWaitMs);
    } while (records.length === 0 && !brief && !this.stopping.signal.aborted);
    this.waits.delete(priority);
    slots.unreserve(count);
    if (records.length > 0) this.options.take(priority, records);
    this.wake();
  }

  private async fetch(priority: Priority, maxRecords: number, maxWaitMs: number): Promise<readonly DeliveredRecord[]> {
    const { signal } = this.stopping;
    try {
      const records = await this.options.queues[priority].fetch({ maxRecords, maxWaitMs, signal });
      this.failures = 0;
      return records;
    } catch (error) {
      if (signal.aborted) return [];
      const pause = Math.min(LONGEST_PAUSE_MS, 50 * 2 ** this.failures++) * (0.5 + Math.random() / 2);
      this.options.logger.warn(`The ${priority} queue could not be read; trying again`, {
        error,
        pauseMs: Math.round(pause),
      });
      await sleep(pause, undefined, { signal }).catch(() => {});
      return [];
    }
  }

  private woken(): Promise<void> {
    if (this.stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiter = resolve;
    });
  }

  private wake(): void {
    this.waiter?.();
    this.waiter = undefined;
  }
}
