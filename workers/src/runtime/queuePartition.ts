import type { Priority } from '@taskflow/schemas/topics';
import { Availability } from './availability.ts';
import type { DeliveredRecord, QueueFacts, QueueSession, TaskQueue } from './ports.ts';
import { SessionFacts } from './sessionFacts.ts';
import type { TaskRun } from './taskRun.ts';

/** The queue of a priority, as the runtime uses it. */
export interface PriorityQueue {
  readonly priority: Priority;
  readonly queue: TaskQueue;
  readonly facts: QueueFacts;
}

/** What this worker has of a partition of a queue, and what it knows of it. */
export class QueuePartition {
  readonly of: PriorityQueue;
  readonly number: number;
  /** By offset, in the order in which they came: running, or on their way to that or from it. */
  readonly runs = new Map<number, TaskRun>();
  /** The highest offset had so far: first deliveries only ascend. */
  highest = -1;
  /** In milliseconds of `performance.now()`. */
  readonly availability = new Availability();
  private session: QueueSession | undefined;
  private known: SessionFacts | undefined;

  constructor(of: PriorityQueue, number: number) {
    this.of = of;
    this.number = number;
  }

  /** What was asked when this session was first seen. */
  factsOf(session: QueueSession): SessionFacts {
    if (this.known === undefined || this.session !== session) {
      this.session = session;
      this.known = new SessionFacts(this.of.facts, this.number, session);
      this.noteEmptyAnswer();
    }
    return this.known;
  }

  /** The last record of an answer: whatever lies below it was not to be had when the fetch left. */
  noteAnswer(last: DeliveredRecord): void {
    this.availability.shown(last.lockedUntil - last.session.lockMs, last.offset);
  }

  noteEmptyAnswer(): void {
    const at = this.session?.shownEmptyAt;
    if (at !== undefined) this.availability.shown(at, Number.POSITIVE_INFINITY);
  }
}
