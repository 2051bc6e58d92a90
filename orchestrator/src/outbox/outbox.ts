import { setTimeout as delay } from 'node:timers/promises';
import { stillToSend } from '@taskflow/core/outboxRecovery';
import type { Appender } from '@taskflow/log/appender';
import { backoffMs } from '@taskflow/log/backoff';
import type { Cluster } from '@taskflow/log/cluster';
import { PartialAppendError } from '@taskflow/log/errors';
import type { Codec } from '@taskflow/schemas/codec';
import type { Logger } from '@taskflow/service/logger';
import type { Pool } from 'pg';
import type { Lane } from '../topics.ts';
import { alreadyThere } from './alreadyThere.ts';
import { deleteFromOutbox, type OutboxRow, readOutbox } from './outboxTable.ts';

export interface OutboxOptions {
  readonly pool: Pool;
  readonly cluster: Cluster;
  readonly codec: Codec;
  readonly appender: Appender;
  readonly logger: Logger;
  /** Whether the lane is this instance's at present. What it could not send of another's is left to the other. */
  readonly owns: (lane: Lane) => boolean;
  /** For metrics: rows whose event is on the log now; `again`: it was looked for there first. */
  readonly onSent?: (rows: number, how: 'at-once' | 'again' | 'was-there') => void;
}

const backoff = { baseMs: 100, capMs: 5_000 };
/** Rows that nobody in this process sends are looked for again at this age: their writer has died just after another had looked. */
const orphanedAfterMs = 5_000;

/**
 * Takes what `outbox` holds to the log, at least once: a row is deleted when its event is acknowledged. What its writer sends
 * itself goes as it is. What another has left, or whose append has no answer, may be there already: it is looked for behind the end
 * that the target had when the row was written, and what is not found is sent with `check`.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  /** The rows that this process is sending. */
  readonly #sending = new Map<number, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Sends rows that this process has just committed. */
  send(rows: readonly OutboxRow[]): void {
    this.#track(rows, async () => this.#again(await this.#append(rows, 'at-once')));
  }

  /** Sends what others have left in these lanes. Rejects where it cannot be read. */
  async recover(lanes: readonly Lane[], minAgeMs: number = orphanedAfterMs): Promise<void> {
    const { pool, codec, logger } = this.#options;
    const rows = (await readOutbox(pool, codec, lanes, minAgeMs)).filter(({ id }) => !this.#sending.has(id));
    if (rows.length === 0) return;
    logger.info('Events that another process had decided are sent', { events: rows.length });
    for (const ofTarget of byTarget(rows)) this.#track(ofTarget, () => this.#again(ofTarget));
  }

  /** Ends when all that can be sent now is sent. What waits for a broker is left for the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#sending.values());
  }

  #track(rows: readonly OutboxRow[], work: () => Promise<void>): void {
    if (rows.length === 0) return;
    const done = work()
      .catch((error: unknown) => {
        this.#options.logger.error('Events of the outbox could not be sent, it is tried again', { error });
      })
      .finally(() => {
        for (const { id } of rows) this.#sending.delete(id);
      });
    for (const { id } of rows) this.#sending.set(id, done);
  }

  /** Appends, deletes the rows of what is acknowledged, and gives the others. */
  async #append(rows: readonly OutboxRow[], how: 'at-once' | 'again'): Promise<readonly OutboxRow[]> {
    const { appender, codec, logger, onSent } = this.#options;
    const records = rows.map(({ topic, partition, event }) => {
      return { topic, partition, key: event.taskId, value: codec.encode(event) };
    });
    let failed: readonly OutboxRow[] = [];
    try {
      await appender.append(records);
    } catch (error) {
      failed = error instanceof PartialAppendError ? rows.filter((_, i) => error.outcomes[i] instanceof Error) : rows;
      logger.warn('Events could not be appended, it is tried again', { events: failed.length, error });
    }
    const sent = failed.length === 0 ? rows : rows.filter((row) => !failed.includes(row));
    await this.#remove(sent);
    if (sent.length > 0) onSent?.(sent.length, how);
    return failed;
  }

  /** Sends rows whose events may be on the log, until they are there. */
  async #again(left: readonly OutboxRow[]): Promise<void> {
    const { cluster, codec, owns, onSent, logger } = this.#options;
    const { signal } = this.#stop;
    for (let attempt = 1; ; attempt++) {
      const rows = left.filter(({ lane }) => owns(lane));
      if (rows.length === 0) return;
      left = [];
      for (const ofTarget of byTarget(rows)) {
        if (signal.aborted) return;
        try {
          const rest = stillToSend(ofTarget, await alreadyThere(cluster, codec, ofTarget, signal));
          const ids = new Set(rest.map(({ id }) => id));
          const there = ofTarget.filter(({ id }) => !ids.has(id));
          await this.#remove(there);
          if (there.length > 0) onSent?.(there.length, 'was-there');
          left = [...left, ...(await this.#append(rest, 'again'))];
        } catch (error) {
          if (signal.aborted) return;
          const { topic, partition } = ofTarget[0]!;
          logger.warn('What is on the log already could not be read, it is tried again', { topic, partition, error });
          left = [...left, ...ofTarget];
        }
      }
      if (left.length === 0) return;
      await delay(backoffMs(attempt, backoff), undefined, { signal }).catch(() => {});
    }
  }

  async #remove(rows: readonly OutboxRow[]): Promise<void> {
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id);
    for (let attempt = 1; ; attempt++) {
      try {
        return await deleteFromOutbox(this.#options.pool, ids);
      } catch (error) {
        // Left where it is, it is found on the log at the next start.
        if (this.#stop.signal.aborted) return;
        this.#options.logger.warn('Rows of the outbox could not be deleted, it is tried again', { error });
        await delay(backoffMs(attempt, backoff), undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }
}

function byTarget(rows: readonly OutboxRow[]): OutboxRow[][] {
  const targets = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const key = `${row.topic}/${row.partition}`;
    const of = targets.get(key);
    if (of === undefined) targets.set(key, [row]);
    else of.push(row);
  }
  return [...targets.values()];
}
