import { mayBeCopy, stillToSend } from '../outboxRecovery.ts';
import { fireTimer, mayFire, type ReadUpTo } from '../timerFiring.ts';
import { applyToTimers, isForgettable, restartLease } from '../timers.ts';
import type { Database, OutboxRow, Place } from './database.ts';
import { Process } from './process.ts';
import type { World } from './world.ts';

const pollMs = 200;

interface Reading {
  readonly place: Place;
  position: number;
  busy: boolean;
  /** Set when reading was interrupted: its leases start anew before it goes on. */
  gap: boolean;
}

/** A process that folds the events into timers and fires them. Several run at once; which partitions each has may be told to it late. */
export class Orchestrator extends Process {
  private readonly database: Database;
  private readonly readings = new Map<Place, Reading>();
  private readonly sending = new Set<number>();
  private firing = false;
  private generation = 0;

  constructor(world: World, name: string, database: Database) {
    super(world, name);
    this.database = database;
    this.loop();
  }

  /** The consumer group's word. */
  assign(places: readonly Place[], generation: number): void {
    if (generation < this.generation) return;
    this.generation = generation;
    for (const place of this.readings.keys()) if (!places.includes(place)) this.readings.delete(place);
    for (const place of places) {
      if (this.readings.has(place)) continue;
      this.readings.set(place, { place, position: this.database.positionOf(place), busy: false, gap: true });
      this.sendLeftOver(place);
    }
  }

  private loop(): void {
    this.after(pollMs, () => this.loop());
    for (const reading of this.readings.values()) this.poll(reading);
    this.fire();
  }

  // ── folding ───────────────────────────────────────────────────────────────────────────────────────────────────

  private poll(reading: Reading): void {
    if (reading.busy) return;
    reading.busy = true;
    const { place, position } = reading;
    this.call(
      (broker) => (place === 'queue' ? broker.queueAsRecorded(position) : broker.events[place]!.slice(position)),
      (records) => {
        reading.busy = false;
        if (this.readings.get(place) !== reading || reading.position !== position) return;
        if (records.length === 0 && !reading.gap) return;
        const next = position + records.length;
        const { rows, now } = this.database;
        const committed = this.database.transaction(place, position, next, () => {
          if (reading.gap)
            for (const row of rows.values())
              if (row.eventsPartition === place) rows.set(row.taskId, restartLease(row, now));
          for (const record of records) {
            const row = applyToTimers(rows.get(record.event.taskId), record, now);
            if (row) rows.set(row.taskId, row);
          }
        });
        if (committed) {
          reading.position = next;
          reading.gap = false;
        } else {
          // A zombie's batch: whoever has the partition now has moved on.
          this.world.count('orchestrator: zombie refused');
          reading.position = this.database.positionOf(place);
          reading.gap = true;
        }
      },
      () => {
        reading.busy = false;
        reading.gap = true;
      },
    );
  }

  // ── firing ────────────────────────────────────────────────────────────────────────────────────────────────────

  private fire(): void {
    const mine = [...this.readings.values()].filter(({ place }) => place !== 'queue');
    if (this.firing || mine.length === 0) return;
    const askedAt = this.database.now;
    const due = [...this.database.rows.values()].some(({ timer }) => timer?.due != null && timer.due <= askedAt);
    if (!due) return;
    this.firing = true;
    this.call(
      (broker) => ({ queue: broker.group.log.length, events: broker.events.map((log) => log.length) }),
      (ends) => this.fireWhenRead(ends, askedAt, 0),
      () => {
        this.firing = false;
      },
    );
  }

  /** Waits until what was on the log as it was asked is read. */
  private fireWhenRead(ends: { queue: number; events: readonly number[] }, endAskedAt: number, tries: number): void {
    const queue: ReadUpTo = { position: this.database.positionOf('queue'), end: ends.queue, endAskedAt };
    let waits = false;
    for (const reading of this.readings.values()) {
      const { place, position } = reading;
      if (place === 'queue' || reading.gap) continue;
      const read = [queue, { position, end: ends.events[place]!, endAskedAt }];
      waits ||= read.some((range) => range.position < range.end);
      this.firePartition(place, position, read, ends);
    }
    if (waits && tries < 10) this.after(pollMs, () => this.fireWhenRead(ends, endAskedAt, tries + 1));
    else this.firing = false;
  }

  private firePartition(place: number, position: number, read: readonly ReadUpTo[], ends: { queue: number }): void {
    const { rows, now } = this.database;
    const due = [...rows.values()].filter((row) => row.eventsPartition === place && mayFire(row, read));
    const added: OutboxRow[] = [];
    this.database.transaction(place, position, position, () => {
      for (const row of due) {
        const fired = fireTimer(row, { now, eventId: this.world.nextId() }, this.world.values);
        this.world.count(`fired: ${row.timer!.kind}${fired.event.event === 'TaskFailed' ? ', given up' : ''}`);
        rows.set(row.taskId, fired.row);
        const end = fired.event.event === 'TaskQueued' ? ends.queue : read.at(-1)!.end;
        added.push(this.database.addToOutbox({ event: fired.event, eventsPartition: place, end }));
      }
      for (const row of rows.values()) if (isForgettable(row, now, this.world.values)) rows.delete(row.taskId);
    });
    this.send(added);
  }

  // ── outbox ────────────────────────────────────────────────────────────────────────────────────────────────────

  private send(rows: readonly OutboxRow[]): void {
    for (const row of rows) this.sending.add(row.id);
    // The transaction is one thing, the append another: it may freeze or die between them.
    if (rows.length > 0) this.after(this.world.random.between(0, 5), () => this.append(rows));
  }

  private append(rows: readonly OutboxRow[]): void {
    const records = rows.map(({ event, eventsPartition }) => ({ event, partition: eventsPartition }));
    const batch = { id: this.world.random.next(), records };
    this.call(
      (broker) => broker.append(batch),
      () => {
        for (const { id } of rows) {
          this.database.outbox.delete(id);
          this.sending.delete(id);
        }
      },
      () => this.after(200, () => this.sendAgain(rows)),
    );
  }

  /** What a crashed owner of the partition has left. */
  private sendLeftOver(place: Place): void {
    const left = [...this.database.outbox.values()].filter(
      (row) => row.eventsPartition === place && !this.sending.has(row.id),
    );
    for (const { id } of left) this.sending.add(id);
    if (left.length > 0) this.sendAgain(left);
  }

  private sendAgain(rows: readonly OutboxRow[]): void {
    const from = Math.min(...rows.map(({ end }) => end));
    const { eventsPartition } = rows[0]!;
    this.call(
      (broker) => [...broker.queueAsRecorded(from), ...broker.events[eventsPartition]!.slice(from)],
      (found) => {
        const rest = stillToSend(
          rows,
          found.map(({ event }) => event),
        );
        const ids = new Set(rest.map(({ id }) => id));
        for (const { id } of rows) if (!ids.has(id)) this.database.outbox.delete(id);
        this.world.count(rest.length < rows.length ? 'outbox: was there' : 'outbox: sent again');
        if (rest.length > 0) this.append(rest.map((row) => ({ ...row, event: mayBeCopy(row.event) })));
      },
      () => this.after(200, () => this.sendAgain(rows)),
    );
  }
}
