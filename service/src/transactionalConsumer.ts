import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { backoffMs } from '@taskflow/log/backoff';
import type { LogRecord } from '@taskflow/log/logRecord';
import type { Pool, PoolClient } from 'pg';
import type { DecodedBatch, DecodedRecord, Decoding, UndecodableRecord } from './decoding.ts';
import { DEFAULT_PACING, flushDelayMs, isFull, type Pacing } from './flushPacing.ts';
import type { Logger } from './logger.ts';
import { type CarriedOver, OpenBatch } from './openBatch.ts';
import {
  advancePositions,
  claimPositions,
  PositionRefusedError,
  partitionKey,
  type TopicPartition,
} from './positions.ts';
import { inTransaction, isConflict, isTransient, isUniqueViolation } from './postgres.ts';
import type { Check } from './readiness.ts';
import { Turns } from './turns.ts';

export type { CarriedOver };

export type Write<Outcome> = (tx: PoolClient) => Promise<Outcome>;

/** What a consumer does with events: folds them in memory, then writes what came out of it. */
export interface Effects<E, Folded, Outcome> {
  /** Under this name its positions are kept. */
  readonly consumer: string;
  /** Nothing folded yet. */
  empty(): Folded;
  /** Takes an event in. Called in the order of each partition. */
  fold(folded: Folded, event: DecodedRecord<E>): void;
  /** Whether what others see of this event is mostly changed at once by events that follow it, so that it may wait a moment for them. */
  mayWait?(event: E): boolean;
  /**
   * Takes out of what a batch has folded what is better written with the batch that follows, and gives it back as the beginning of
   * that one; undefined where it is nothing. Asked under load only, before `prepare`. The positions stay at the first
   * record of what is carried over, so after a crash records behind it are folded again that were written: writing must bear that.
   * Nothing may be carried over for good.
   */
  carryOver?(folded: Folded): CarriedOver<Folded> | undefined;
  /**
   * Computes what is to be written, while the batch before is still being committed, and gives the function that writes it in the
   * transaction that moves the positions. That may be called again, after a rollback. Effects outside of PostgreSQL must
   * bear being repeated.
   */
  prepare(folded: Folded): Write<Outcome>;
  /** What others are told when it is committed. Not repeated; its failure is the caller's to handle. */
  committed?(outcome: Outcome): void;
}

export interface TransactionalConsumerOptions<E, Folded, Outcome> {
  readonly effects: Effects<E, Folded, Outcome>;
  readonly decoding: Decoding<E>;
  readonly pool: Pool;
  readonly logger: Logger;
  /** Set to what hinders the consumer, and to ok while it works. */
  readonly check: Check;
  /** Puts records away that nobody can read, so that their partition goes on. Rejects where that failed: it is tried again. */
  readonly park: (records: readonly UndecodableRecord[]) => Promise<void>;
  /** Has every partition that this instance owns read again from its stored position: `positions` will be asked. */
  readonly reread: () => void;
  readonly pacing?: Pacing;
  /** Called after each commit, for metrics. */
  readonly onFlush?: (flush: FlushReport) => void;
}

export interface FlushReport {
  readonly records: number;
  readonly events: number;
  readonly undecodable: number;
  readonly durationMs: number;
  readonly attempts: number;
}

/** Taken in at a time: few enough that a batch holds several of each of its partitions, and ends with all at about the same moment of the log. */
const SLICE_RECORDS = 500;

const POSTGRES_BACKOFF = { baseMs: 100, capMs: 5_000 };

/**
 * Effects and positions in one transaction, which makes a consumer of the log exactly-once: the positions move only from
 * where this instance has read on, so that a zombie's batch is refused whole. Kafka's consumer group only shares out the partitions.
 *
 * One commit is under way at a time; what comes meanwhile is folded into the next batch, and that is prepared once it holds enough. While PostgreSQL is away the same batch is tried again,
 * the positions stand still, and `take` holds back whoever delivers more than `pacing` lets wait here.
 */
export class TransactionalConsumer<E, Folded, Outcome> {
  readonly #options: TransactionalConsumerOptions<E, Folded, Outcome>;
  readonly #pacing: Pacing;
  /** The offset that is due in each partition that is owned. */
  readonly #due = new Map<string, number>();
  #open: OpenBatch<E, Folded>;
  /** The last batch that was closed and is not settled. */
  #closed: OpenBatch<E, Folded> | undefined;
  /** The commit under way. */
  #committing: Promise<void> | undefined;
  /** Goes up whenever what was taken is dropped; what began before then has nothing more to say. */
  #generation = 0;
  #flushing: Promise<void> | undefined;
  #lastFlushRecords = 0;
  readonly #turns = new Turns(({ urgent }) => !isFull(this.#pacing, this.#open, urgent));
  #dropped = new AbortController();
  /** Ends the wait for more. */
  #hurry: () => void = () => {};
  /** Somebody waits for what was taken to be committed. */
  #urgent = false;
  #stopped = false;

  constructor(options: TransactionalConsumerOptions<E, Folded, Outcome>) {
    this.#options = options;
    this.#pacing = options.pacing ?? DEFAULT_PACING;
    this.#open = new OpenBatch(options.effects);
    options.pool.on('error', this.#distrust);
  }

  /**
   * Partitions were assigned (all that this instance now owns): what was taken and not committed is dropped, and the result says
   * where to read on. Waits while PostgreSQL is away. `start` is the log's first offset, for partitions never read before.
   */
  async positions(partitions: readonly (TopicPartition & { readonly start?: number })[]): Promise<Map<string, number>> {
    this.#drop();
    const generation = this.#generation;
    await this.#flushing; // a commit under way decides where to read on
    const { effects, pool } = this.#options;
    const positions = await this.#patiently(generation, () => claimPositions(pool, effects.consumer, partitions));
    if (positions === undefined) throw new Error('These partitions were assigned anew meanwhile');
    for (const [key, offset] of positions) this.#due.set(key, offset);
    this.#options.check.ok();
    return positions;
  }

  /** Partitions were taken away: what was taken and not committed is dropped, their next owner reads it. */
  revoked(): void {
    this.#drop();
  }

  /**
   * Takes records of one partition in, without waiting for them to be written; waits only where too much is waiting already. What is
   * `urgent`, because it belongs with what is in the open batch, waits only where it is twice too much.
   */
  async take(records: readonly LogRecord[], { urgent = false } = {}): Promise<void> {
    const generation = this.#generation;
    // In slices, so that what is fetched in large pieces is not decoded before there is room for it.
    for (let from = 0; from < records.length; from += SLICE_RECORDS) {
      const delivery = { appendedAt: records[from]!.appendedAt, urgent };
      let admitted = this.#turns.isFree(delivery);
      while (!admitted && !this.#stopped) {
        const turn = this.#turns.wait(delivery);
        this.#letNextIn();
        await turn;
        admitted = this.#turns.hasRoom(delivery);
      }
      if (this.#stopped || generation !== this.#generation) return;
      const slice = records.length <= SLICE_RECORDS ? records : records.slice(from, from + SLICE_RECORDS);
      const decoding = this.#options.decoding(slice);
      const decoded = decoding instanceof Promise ? await decoding : decoding;
      if (generation !== this.#generation) return;
      this.#add(slice, decoded);
      this.#letNextIn();
    }
  }

  #letNextIn(): void {
    if (isFull(this.#pacing, this.#open)) this.#hurry();
    this.#turns.letNextIn();
  }

  #add(records: readonly LogRecord[], decoded: DecodedBatch<E>): void {
    const { topic, partition, offset } = records[0]!;
    const key = partitionKey(topic, partition);
    const due = this.#due.get(key);
    if (due === undefined) return;
    if (offset > due) throw new Error(`${key}: the records from ${due} to ${offset - 1} were passed over`);
    const next = records.at(-1)!.offset + 1;
    if (next <= due) return;
    const { events, pressing } = this.#open;
    this.#open.add(decoded, { topic, partition, from: due, to: next }, records);
    this.#due.set(key, next);
    this.#flushing ??= this.#flushUntilEmpty(this.#generation);
    // A batch that began to wait as a quiet one, or as one that lingers, may be none any more.
    const isStirred = (events === 0 && this.#open.events > 0) || (pressing === 0 && this.#open.pressing > 0);
    if (isStirred || this.#open.records >= this.#pacing.enoughRecords) this.#hurry();
  }

  /** Resolves when all that was taken is committed (or dropped). */
  async flushed(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  /** Commits what has been taken so far, without waiting for more. Resolves when it is committed (or dropped). */
  async flush(): Promise<void> {
    const batch = this.#open.isEmpty ? this.#closed : this.#open;
    if (batch === undefined) return;
    this.#urgent = true;
    this.#hurry();
    await batch.settled.promise;
    this.#urgent = false;
  }

  /** Takes nothing more, and commits once more what was taken, if PostgreSQL is there. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#hurry();
    this.#turns.release();
    await this.flushed();
    this.#options.pool.off('error', this.#distrust);
  }

  /**
   * A connection ended while nothing was asked on it. A server that crashed may have lost its last commits, where sessions don't
   * wait for the disk (`synchronous_commit = off`), and with nothing new on the log no flush would ever find out.
   */
  readonly #distrust = (): void => {
    if (this.#stopped) return;
    this.#drop();
    this.#options.reread();
  };

  async #flushUntilEmpty(generation: number): Promise<void> {
    try {
      while (generation === this.#generation && !(this.#open.isEmpty && this.#committing === undefined)) {
        await this.#untilEnough();
        if (this.#open.isEmpty) {
          await this.#committing;
          continue;
        }
        await this.#untilDue();
        if (generation !== this.#generation) break;
        const batch = this.#close();
        const write = this.#prepare(batch);
        await this.#committing;
        this.#committing = this.#flush(batch, write, generation).finally(() => {
          this.#committing = undefined;
          if (this.#closed === batch) this.#closed = undefined;
          batch.settled.resolve();
        });
      }
      await this.#committing;
    } finally {
      this.#flushing = undefined;
      // What was taken since, by a newer generation, has found a flush under way and began none.
      if (!this.#open.isEmpty) this.#flushing = this.#flushUntilEmpty(this.#generation);
    }
  }

  /** Ends the open batch, and begins one that takes what comes from now on. */
  #close(): OpenBatch<E, Folded> {
    const batch = this.#open;
    const mayCarryOver = batch.records >= this.#pacing.idleRecords && !this.#urgent && !this.#stopped;
    this.#open = batch.next({ mayCarryOver });
    this.#closed = batch;
    this.#lastFlushRecords = batch.records;
    this.#turns.batchClosed();
    return batch;
  }

  /** Where preparing throws, it is tried again with the commit, which says so and holds the positions. */
  #prepare(batch: OpenBatch<E, Folded>): Write<Outcome> {
    const { effects } = this.#options;
    const folded = batch.takeFolded();
    try {
      return effects.prepare(folded);
    } catch {
      return async (tx) => effects.prepare(folded)(tx);
    }
  }

  async #untilDue(): Promise<void> {
    await nextTurn(); // what comes in this turn, from other partitions too, goes into one batch
    for (;;) {
      if (this.#stopped || this.#urgent || isFull(this.#pacing, this.#open)) return;
      const wait = flushDelayMs(this.#pacing, this.#open, this.#lastFlushRecords, Date.now());
      if (wait === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        this.#hurry = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** While a commit is under way a batch may as well grow, until it is large. */
  async #untilEnough(): Promise<void> {
    const { enoughRecords } = this.#pacing;
    while (this.#committing && !this.#stopped && !this.#urgent) {
      if (this.#open.records >= enoughRecords || isFull(this.#pacing, this.#open)) return;
      const hurried = new Promise<void>((resolve) => {
        this.#hurry = resolve;
      });
      await Promise.race([this.#committing, hurried]);
    }
  }

  async #flush(batch: OpenBatch<E, Folded>, write: Write<Outcome>, generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const { effects, check, onFlush, park } = this.#options;
    const began = performance.now();
    let attempts = 0;
    const outcome = await this.#patiently(generation, async () => {
      attempts += 1;
      if (batch.undecodable.length > 0) await park(batch.undecodable);
      return { written: await this.#commit(batch, write) };
    });
    if (outcome === undefined) return;
    check.ok();
    effects.committed?.(outcome.written);
    onFlush?.({
      records: batch.records,
      events: batch.events,
      undecodable: batch.undecodable.length,
      durationMs: performance.now() - began,
      attempts,
    });
  }

  async #commit(batch: OpenBatch<E, Folded>, write: Write<Outcome>): Promise<Outcome> {
    const { effects, pool } = this.#options;
    return inTransaction(pool, async (tx) => {
      // First, so that a zombie waits for and locks nothing else.
      const advancing = advancePositions(tx, effects.consumer, [...batch.advances.values()]);
      if (!tx.pipeline) await advancing;
      // Both to their end, also where one fails: no statement may follow the rollback.
      const [advanced, written] = await Promise.allSettled([advancing, write(tx)]);
      if (advanced.status === 'rejected') throw advanced.reason;
      if (written.status === 'rejected') throw written.reason;
      return written.value;
    });
  }

  /** Tries until it works; undefined where the generation ended first, or the positions were refused. */
  async #patiently<T>(generation: number, work: () => Promise<T>): Promise<T | undefined> {
    const { effects, logger, check, reread } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (generation !== this.#generation) return undefined;
        if (error instanceof PositionRefusedError) {
          logger.warn('Positions were refused, reading again from what is stored', { error });
          this.#drop();
          reread();
          return undefined;
        }
        if (this.#stopped) {
          logger.warn('What was not committed at the stop is read again at the next start', { error });
          this.#drop();
          return undefined;
        }
        if ((isConflict(error) || isUniqueViolation(error)) && attempt < 10) {
          logger.debug('Two transactions got in each other’s way, this one is tried again', {
            consumer: effects.consumer,
          });
          continue;
        }
        const reason = error instanceof Error ? error.message : String(error);
        check.failing(`positions stand still: ${reason}`);
        const level = isTransient(error) ? 'warn' : 'error';
        logger[level]('A batch could not be committed, it is tried again', {
          consumer: effects.consumer,
          attempt,
          error,
        });
        await delay(backoffMs(attempt, POSTGRES_BACKOFF), undefined, { signal: this.#dropped.signal }).catch(() => {});
        if (generation !== this.#generation) return undefined;
      }
    }
  }

  #drop(): void {
    this.#generation += 1;
    this.#due.clear();
    this.#open.settled.resolve();
    this.#open = new OpenBatch(this.#options.effects);
    this.#turns.release();
    this.#hurry();
    this.#dropped.abort();
    this.#dropped = new AbortController();
  }
}
