import type { TaskCancelRequested, TaskEvent, TaskQueued, TypePaused, TypeResumed } from '@taskflow/schemas/events';
import type { RecordedEvent } from '@taskflow/schemas/fold';
import { eventsTopic, queueTopic } from '@taskflow/schemas/topics';
import type { Random } from './random.ts';
import { type AcquiredRecord, ShareGroup } from './shareGroup.ts';
import type { Timeline } from './timeline.ts';

export type ControlRecord = TaskCancelRequested | TypePaused | TypeResumed;

/** An event on its way to a partition of the events topic, or to the queue. */
export interface Outgoing {
  readonly event: TaskEvent;
  readonly partition: number;
}

export interface Batch {
  /** Of an idempotent producer: the same batch again is not appended again. */
  readonly id: number;
  readonly records: readonly Outgoing[];
}

interface Waiter {
  readonly connection: number;
  readonly max: number;
  readonly answer: (records: AcquiredRecord[]) => void;
  over: boolean;
}

export interface BrokerSettings {
  readonly lockMs: number;
  readonly maxRecordLocks: number;
  readonly eventsPartitions: number;
}

/** One Kafka broker: a queue with its share group, an events topic, the control topic. Every operation takes effect at once; the network is elsewhere. */
export class Broker {
  up = true;
  leaderEpoch = 1;
  readonly outages: { readonly at: number; readonly up: boolean }[] = [];
  readonly group: ShareGroup;
  readonly events: RecordedEvent[][];
  readonly control: { readonly key: string; readonly record: ControlRecord | null }[] = [];
  /** Where each events partition ended when the present leader began. */
  private endsBefore: number[];
  private readonly connections = new Set<number>();
  private readonly batches = new Map<number, number[]>();
  private waiters: Waiter[] = [];
  private readonly timeline: Timeline;
  private readonly random: Random;
  private lastConnection = 0;

  constructor(settings: BrokerSettings, timeline: Timeline, random: Random) {
    this.timeline = timeline;
    this.random = random;
    this.group = new ShareGroup(settings.lockMs, settings.maxRecordLocks);
    this.events = Array.from({ length: settings.eventsPartitions }, () => []);
    this.endsBefore = this.events.map(() => 0);
  }

  // ── the log ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Offsets, in the order of the batch. */
  append({ id, records }: Batch): number[] {
    const known = this.batches.get(id);
    if (known) return known;
    const offsets = records.map(({ event, partition }) =>
      event.event === 'TaskQueued' ? this.appendQueued(event) : this.appendEvent(event, partition),
    );
    this.batches.set(id, offsets);
    if (records.some(({ event }) => event.event === 'TaskQueued')) this.serve();
    return offsets;
  }

  endOf(partition: number): number {
    return this.events[partition]!.length;
  }

  /** The first offset appended at a time or later. */
  offsetAt(partition: number, time: number): number {
    const found = this.events[partition]!.findIndex(({ appendedAt }) => appendedAt >= time);
    return found < 0 ? this.endOf(partition) : found;
  }

  lastEventOfOldLeader(partition: number): number | undefined {
    return this.events[partition]![this.endsBefore[partition]! - 1]?.appendedAt;
  }

  queueAsRecorded(from: number): RecordedEvent[] {
    return this.group.log.slice(from).map(({ queued, offset, appendedAt }) => ({
      event: queued,
      topic: queueTopic(queued.type, queued.priority),
      partition: 0,
      offset,
      appendedAt,
    }));
  }

  private appendQueued(queued: TaskQueued): number {
    const { log } = this.group;
    const offset = log.length;
    log.push({ offset, queued, appendedAt: this.timeline.now, leaderEpoch: this.leaderEpoch });
    return offset;
  }

  private appendEvent(event: TaskEvent, partition: number): number {
    const log = this.events[partition]!;
    const topic = eventsTopic(event.type, event.priority);
    return log.push({ event, topic, partition, offset: log.length, appendedAt: this.timeline.now }) - 1;
  }

  // ── share sessions ────────────────────────────────────────────────────────────────────────────────────────────

  connect(): number {
    this.connections.add(++this.lastConnection);
    return this.lastConnection;
  }

  isOpen(connection: number): boolean {
    return this.connections.has(connection);
  }

  /** The client's end is gone, or the network says so. */
  close(connection: number): void {
    if (!this.connections.delete(connection)) return;
    this.waiters = this.waiters.filter((waiter) => waiter.connection !== connection);
    this.group.closed(connection);
    this.serve();
  }

  fetch(connection: number, max: number, waitMs: number, answer: (records: AcquiredRecord[]) => void): void {
    const records = this.group.acquire(connection, max, this.timeline.now);
    if (records.length > 0) {
      answer(records);
      this.wakeAtExpiry();
      return;
    }
    const waiter: Waiter = { connection, max, answer, over: false };
    this.waiters.push(waiter);
    this.timeline.after(waitMs, () => this.end(waiter, []));
    this.wakeAtExpiry();
  }

  /** False: INVALID_RECORD_STATE. */
  settle(connection: number, offset: number, how: 'accept' | 'release'): boolean {
    const done = this.group[how](connection, offset, this.timeline.now);
    this.serve();
    return done;
  }

  private end(waiter: Waiter, records: AcquiredRecord[]): void {
    if (waiter.over || !this.waiters.includes(waiter)) return;
    waiter.over = true;
    this.waiters = this.waiters.filter((other) => other !== waiter);
    waiter.answer(records);
  }

  private serve(): void {
    for (const waiter of this.random.shuffled(this.waiters)) {
      const records = this.group.acquire(waiter.connection, waiter.max, this.timeline.now);
      if (records.length > 0) this.end(waiter, records);
    }
    this.wakeAtExpiry();
  }

  private wakeAtExpiry(): void {
    const next = this.group.nextExpiry();
    if (next === undefined || this.waiters.length === 0) return;
    this.timeline.after(Math.max(1, next - this.timeline.now), () => {
      if (this.waiters.length > 0 && (this.group.nextExpiry() ?? Number.POSITIVE_INFINITY) <= this.timeline.now)
        this.serve();
    });
  }

  // ── faults ────────────────────────────────────────────────────────────────────────────────────────────────────

  stop(): void {
    this.up = false;
    this.outages.push({ at: this.timeline.now, up: false });
    this.connections.clear();
    this.waiters = [];
  }

  /** What was on the log and what was settled is still there; locks and counts are not. */
  restart(): void {
    this.up = true;
    this.outages.push({ at: this.timeline.now, up: true });
    this.leaderEpoch += 2;
    this.group.restart();
    this.endsBefore = this.events.map((log) => log.length);
  }
}
