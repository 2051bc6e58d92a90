import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { Cluster } from '@taskflow/log/cluster';
import type { Logger } from '@taskflow/service/logger';
import { readPositions } from '@taskflow/service/positions';
import type { Check } from '@taskflow/service/readiness';
import type { OutboxRow } from '../outbox/outboxTable.ts';
import { type Lane, laneKey } from '../topics.ts';
import { type DueTimer, readDueTimers } from './dueTimers.ts';
import { type FiredTimer, type FiringPorts, fireTimers } from './fireTimers.ts';
import { consumerName } from './foldTimers.ts';
import { isPassed, LaneEnds } from './laneEnds.ts';
import { restartLeases } from './timerTable.ts';

/** A lane that this instance reads. */
export interface ReadLane {
  readonly lane: Lane;
  /** How often its reading was cut short. */
  readonly interruptions: number;
}

export interface FiringLoopOptions extends FiringPorts {
  readonly cluster: Cluster;
  readonly logger: Logger;
  readonly check: Check;
  /** The lanes that are read at present. */
  readonly lanes: () => readonly ReadLane[];
  /** Has what was read so far committed. */
  readonly flush: () => Promise<void>;
  readonly onFired: (fired: readonly FiredTimer[], outbox: readonly OutboxRow[]) => void;
}

/** At most so many in one transaction. */
const batchSize = 1_000;
/** A lane that is not read up to its end yet is looked at again after this. */
const lagMs = 10;
/** The longest sleep: whatever was not noticed is found then. */
const idleMs = 1_000;
const backoff = { baseMs: 100, capMs: 5_000 };

/**
 * Fires what is due in the lanes that are read here. It sleeps until the next timer is due, and is woken when an earlier one was
 * written. A timer that is due costs a look at the index, one question for the ends of its lane, and a transaction.
 */
export class FiringLoop {
  readonly #options: FiringLoopOptions;
  readonly #ends: LaneEnds;
  /** Interruptions after which the leases of a lane were started anew. */
  readonly #restarted = new Map<string, number>();
  readonly #stop = new AbortController();
  #wake = new AbortController();
  /** Until when it sleeps, and when the earliest timer is due that was written since it last looked; on the clock of `performance.now()`. */
  #wakeAt = Number.NEGATIVE_INFINITY;
  #writtenDueAt = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(options: FiringLoopOptions) {
    this.#options = options;
    this.#ends = new LaneEnds(options.cluster);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** A timer was written that is due in so long. */
  dueIn(ms: number): void {
    this.#writtenDueAt = Math.min(this.#writtenDueAt, performance.now() + ms);
    if (this.#writtenDueAt < this.#wakeAt) this.#wake.abort();
  }

  /** Partitions were assigned, whose leases were started anew: interruptions are counted from 0 again. */
  assigned(): void {
    this.#restarted.clear();
    this.dueIn(0);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { check, logger } = this.#options;
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      this.#wake = new AbortController();
      let waitMs: number;
      try {
        waitMs = await this.#cycle();
        failures = 0;
        check.ok();
      } catch (error) {
        failures += 1;
        waitMs = backoffMs(failures, backoff);
        const reason = error instanceof Error ? error.message : String(error);
        if (failures > 2) check.failing(`timers do not fire: ${reason}`);
        logger.warn('Timers could not be fired, it is tried again', { error });
      }
      await this.#sleep(waitMs);
    }
  }

  async #sleep(ms: number): Promise<void> {
    const now = performance.now();
    this.#wakeAt = Math.min(now + ms, this.#writtenDueAt);
    const waitMs = Math.ceil(this.#wakeAt - now);
    const { signal } = this.#wake;
    if (waitMs > 0 && !this.#stop.signal.aborted) await delay(waitMs, undefined, { signal }).catch(() => {});
    this.#wakeAt = Number.NEGATIVE_INFINITY;
  }

  /** Fires what may fire, and gives how long there is nothing more to do. */
  async #cycle(): Promise<number> {
    const { pool, lanes, flush, onFired } = this.#options;
    const read = lanes();
    this.#writtenDueAt = Number.POSITIVE_INFINITY;
    if (read.length === 0) return lagMs * 5;
    await this.#restartInterrupted(read);
    const { now, due, nextInMs } = await readDueTimers(
      pool,
      read.map(({ lane }) => lane),
      batchSize,
    );
    const untilNext = Math.min(idleMs, Math.ceil(nextInMs ?? idleMs));
    if (due.length === 0) return untilNext;

    await this.#ends.ask(
      due.map(({ lane, due: dueAt }) => ({ lane, dueAt })),
      now,
    );
    await flush();
    const positions = await readPositions(pool, consumerName);
    this.#ends.passed(positions);
    const ready = due.filter((timer) => this.#isReady(timer, positions));
    if (ready.length > 0) {
      const keys = new Set(ready.map(({ lane }) => laneKey(lane)));
      const ends = [...keys].map((key) => this.#ends.get(ready.find(({ lane }) => laneKey(lane) === key)!.lane)!);
      const ids = ready.map(({ taskId }) => taskId);
      const { fired, outbox } = await fireTimers(this.#options, ids, ends, positions);
      onFired(fired, outbox);
    }
    if (ready.length < due.length) return Math.min(lagMs, untilNext);
    return due.length === batchSize ? 0 : untilNext;
  }

  #isReady({ lane, kind, due }: DueTimer, positions: ReadonlyMap<string, number>): boolean {
    const end = this.#ends.get(lane);
    if (end === undefined || end.askedAt < due || !isPassed(end, positions)) return false;
    // Whose reading was cut short since this cycle began: its lease starts anew in the next.
    return (
      kind !== 'lease' ||
      this.#options.lanes().some((each) => laneKey(each.lane) === laneKey(lane) && !this.#isInterrupted(each))
    );
  }

  #isInterrupted({ lane, interruptions }: ReadLane): boolean {
    return interruptions !== (this.#restarted.get(laneKey(lane)) ?? 0);
  }

  async #restartInterrupted(read: readonly ReadLane[]): Promise<void> {
    const interrupted = read.filter((each) => this.#isInterrupted(each));
    if (interrupted.length === 0) return;
    const lanes = interrupted.map(({ lane }) => lane);
    const leases = await restartLeases(this.#options.pool, lanes);
    for (const { lane, interruptions } of interrupted) this.#restarted.set(laneKey(lane), interruptions);
    this.#options.logger.info('Reading was interrupted, leases start anew', { lanes: lanes.length, leases });
  }
}
