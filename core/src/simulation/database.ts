import type { TaskFailed, TaskQueued } from '@taskflow/schemas/events';
import type { TimerRow } from '../timers.ts';
import type { Timeline } from './timeline.ts';

export interface OutboxRow {
  readonly id: number;
  readonly event: TaskQueued | TaskFailed;
  readonly eventsPartition: number;
  /** Where the target topic ended when the row was written. */
  readonly end: number;
}

/** A partition that the orchestrators fold: of the events, or the queue. */
export type Place = number | 'queue';

/** What the orchestrators keep in PostgreSQL. A transaction takes effect as a whole or not at all; here it is one call. */
export class Database {
  readonly rows = new Map<string, TimerRow>();
  readonly positions = new Map<Place, number>();
  readonly outbox = new Map<number, OutboxRow>();
  private lastId = 0;
  private readonly timeline: Timeline;
  private readonly skew: number;

  constructor(timeline: Timeline, skew: number) {
    this.timeline = timeline;
    this.skew = skew;
  }

  get now(): number {
    return this.timeline.now + this.skew;
  }

  positionOf(place: Place): number {
    return this.positions.get(place) ?? 0;
  }

  /** Effects and position together, only where the position is still what the caller expects. */
  transaction(place: Place, expected: number, next: number, effects: () => void): boolean {
    if (this.positionOf(place) !== expected) return false;
    effects();
    this.positions.set(place, next);
    return true;
  }

  addToOutbox(row: Omit<OutboxRow, 'id'>): OutboxRow {
    const added = { id: ++this.lastId, ...row };
    this.outbox.set(added.id, added);
    return added;
  }
}
