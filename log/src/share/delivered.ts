import type { LogRecord } from '../logRecord.ts';
import type { AcquiredBatch } from './acquiredBatch.ts';
import type { SharePartition } from './sharePartition.ts';

/**
 * The hold that a consumer has on one partition of its queue: it begins when the broker opens the consumer's session
 * for the partition and ends, once and for all, when that session or the partition's leader is lost. What was delivered on
 * it is free for others from then on.
 */
export interface QueueSession {
  /** Ascending within the process. */
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly brokerId: number;
  /**
   * The partition's leader epoch, asked of the leader itself when the session was open. A delivered record whose own
   * `leaderEpoch` is smaller was appended under an earlier leader; a restart of a broker makes a new leader, too, and it
   * forgets locks and delivery counts.
   */
  readonly leaderEpoch: number;
  /** On the clock of `performance.now()`. */
  readonly openedAt: number;
  readonly lost: boolean;
  /** How long the broker locks a record, as it last said. */
  readonly lockMs: number;
  /**
   * When the last fetch left that waited at the broker and brought nothing of any partition, on the clock of
   * `performance.now()`: no record that was there was free then.
   */
  readonly shownEmptyAt: number | undefined;
}

/** A record that the broker has locked for this consumer. */
export interface Delivered extends LogRecord {
  /** How often the broker has handed it out, this time included. A broker that restarted counts from 1 again. */
  readonly delivery: number;
  /** On the clock of `performance.now()`, counted from before the request left: the broker's lock lasts at least so long. */
  readonly lockedUntil: number;
  readonly session: QueueSession;
}

let lastId = 0;

export class Hold implements QueueSession {
  readonly id = ++lastId;
  readonly topic: string;
  readonly partition: number;
  readonly brokerId: number;
  readonly leaderEpoch: number;
  readonly openedAt = performance.now();
  lost = false;
  lockMs = 0;
  shownEmptyAt: number | undefined;
  readonly owner: SharePartition;

  constructor(owner: SharePartition, leaderEpoch: number) {
    this.owner = owner;
    this.topic = owner.topic;
    this.partition = owner.id.partition;
    this.brokerId = owner.session.brokerId;
    this.leaderEpoch = leaderEpoch;
  }
}

/** `Delivered` with what the consumer itself needs; a class, so that all have one shape. */
export class HeldRecord implements Delivered {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly appendedAt: number;
  readonly leaderEpoch: number;
  readonly headers: LogRecord['headers'];
  readonly delivery: number;
  lockedUntil: number;
  readonly session: Hold;
  readonly batch: AcquiredBatch;
  /** Accepted, released or rejected: what comes first counts. */
  settled = false;

  constructor(
    topic: string,
    partition: number,
    offset: number,
    key: Buffer | null,
    value: Buffer | null,
    appendedAt: number,
    leaderEpoch: number,
    headers: LogRecord['headers'],
    session: Hold,
    delivery: number,
    lockedUntil: number,
    batch: AcquiredBatch,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.key = key;
    this.value = value;
    this.appendedAt = appendedAt;
    this.leaderEpoch = leaderEpoch;
    this.headers = headers;
    this.session = session;
    this.delivery = delivery;
    this.lockedUntil = lockedUntil;
    this.batch = batch;
    batch.delivered();
  }
}
