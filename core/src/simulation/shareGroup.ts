import type { TaskQueued } from '@taskflow/schemas/events';

/** A record of the queue topic. */
export interface QueueRecord {
  readonly offset: number;
  readonly queued: TaskQueued;
  readonly appendedAt: number;
  readonly leaderEpoch: number;
}

export interface AcquiredRecord {
  readonly record: QueueRecord;
  readonly delivery: number;
}

interface Pending {
  count: number;
  /** The connection that holds it; undefined while it is to be had. */
  holder: number | undefined;
  lockedUntil: number;
}

/** A share group on one partition, as Kafka 4.4 behaves: FACTS.md, "Share groups". */
export class ShareGroup {
  readonly log: QueueRecord[] = [];
  /** All before it are settled. */
  start = 0;
  /** What can be asked for: the broker stores the start with the next change after the one that moved it. */
  storedStart = 0;
  archived = 0;
  private readonly pending = new Map<number, Pending>();
  private readonly settled = new Set<number>();
  private readonly lockMs: number;
  private readonly window: number;
  private readonly limit: number;

  constructor(lockMs: number, window: number, limit = 10) {
    this.lockMs = lockMs;
    this.window = window;
    this.limit = limit;
  }

  get lag(): number {
    return this.log.length - this.start - this.settled.size;
  }

  acquire(connection: number, max: number, now: number): AcquiredRecord[] {
    this.expire(now);
    const got: AcquiredRecord[] = [];
    const end = Math.min(this.log.length, this.start + this.window);
    for (let offset = this.start; offset < end && got.length < max; offset++) {
      if (this.settled.has(offset)) continue;
      const pending = this.pending.get(offset) ?? { count: 0, holder: undefined, lockedUntil: 0 };
      if (pending.holder !== undefined) continue;
      pending.count++;
      pending.holder = connection;
      pending.lockedUntil = now + this.lockMs;
      this.pending.set(offset, pending);
      got.push({ record: this.log[offset]!, delivery: pending.count });
    }
    return got;
  }

  /** False: INVALID_RECORD_STATE. */
  accept(connection: number, offset: number, now: number): boolean {
    if (!this.holds(connection, offset, now)) return false;
    this.settle(offset);
    return true;
  }

  release(connection: number, offset: number, now: number): boolean {
    if (!this.holds(connection, offset, now)) return false;
    this.giveUp(offset);
    return true;
  }

  renew(connection: number, offset: number, now: number): boolean {
    if (!this.holds(connection, offset, now)) return false;
    this.pending.get(offset)!.lockedUntil = now + this.lockMs;
    return true;
  }

  /** What the connection holds is to be had again. */
  closed(connection: number): void {
    for (const [offset, pending] of this.pending) if (pending.holder === connection) this.giveUp(offset);
  }

  /** What was settled stays settled; locks and delivery counts are forgotten. */
  restart(): void {
    this.pending.clear();
  }

  /** The earliest end of a lock, where there is any. */
  nextExpiry(): number | undefined {
    let next: number | undefined;
    for (const { holder, lockedUntil } of this.pending.values()) {
      if (holder !== undefined && (next === undefined || lockedUntil < next)) next = lockedUntil;
    }
    return next;
  }

  private holds(connection: number, offset: number, now: number): boolean {
    this.expire(now);
    return this.pending.get(offset)?.holder === connection;
  }

  private expire(now: number): void {
    for (const [offset, { holder, lockedUntil }] of this.pending) {
      if (holder !== undefined && lockedUntil <= now) this.giveUp(offset);
    }
  }

  private giveUp(offset: number): void {
    const pending = this.pending.get(offset)!;
    pending.holder = undefined;
    if (pending.count < this.limit) return;
    this.archived++;
    this.settle(offset);
  }

  private settle(offset: number): void {
    this.pending.delete(offset);
    this.settled.add(offset);
    this.storedStart = this.start;
    while (this.settled.delete(this.start)) this.start++;
  }
}
