import { isCancelled } from '@taskflow/core/control';
import { suspicionOf } from '@taskflow/core/suspicion';
import { backoffMs } from '@taskflow/log/backoff';
import type { TaskQueued } from '@taskflow/schemas/events';
import { TaskError } from '../taskError.ts';
import { Hand } from './hand.ts';
import type { DeliveredRecord } from './ports.ts';
import type { QueuePartition } from './queuePartition.ts';
import { readQueued } from './readQueued.ts';
import { TaskRun } from './taskRun.ts';
import type { TypeLane } from './typeLane.ts';

const REGISTRY_BACKOFF = { baseMs: 400, capMs: 10_000 };

/** A record whose schema is being asked for. */
interface Unread {
  readonly partition: QueuePartition;
  readonly record: DeliveredRecord;
  readonly highest: number;
  readonly since: number;
}

/** What becomes of the records of a fetch: which of them begin to run, which must be checked first, which are no work at all. */
export class Intake {
  /** What came before its slot. */
  readonly hand = new Hand();
  private readonly lane: TypeLane;
  private readonly unread = new Set<Unread>();
  private isTakingFromHand = false;

  constructor(lane: TypeLane) {
    this.lane = lane;
  }

  /** Begins what is in hand, as far as slots are free. */
  takeFromHand(): void {
    if (this.isTakingFromHand) return; // what is begun here may end here
    this.isTakingFromHand = true;
    try {
      while (this.hand.size > 0 && this.lane.slots.free > 0) {
        const { partition, record, highest } = this.hand.next()!;
        this.takeOne(partition, record, highest, performance.now());
      }
    } finally {
      this.isTakingFromHand = false;
    }
  }

  /**
   * Begins the runs of a fetch: their TaskStarted, and the outcomes of handlers that wait for nothing, leave in one append. What no
   * slot is free for stays in hand until one is.
   */
  take(records: readonly DeliveredRecord[]): void {
    const { lane } = this;
    const now = performance.now();
    lane.metrics.fetched(records.length);
    lane.clock.saw(records[records.length - 1]!.appendedAt);
    let before: DeliveredRecord | undefined;
    let partition: QueuePartition | undefined;
    for (const record of records) {
      if (!partition || !before || record.partition !== before.partition || record.topic !== before.topic) {
        if (partition && before) this.answerEnds(partition, before);
        partition = lane.partitionOf(record);
      } else if (record.lockedUntil !== before.lockedUntil) {
        this.answerEnds(partition, before);
      }
      before = record;
      const { highest } = partition;
      if (record.offset > highest) partition.highest = record.offset;
      if (lane.slots.free > 0) this.takeOne(partition, record, highest, now);
      else this.hand.put({ partition, record, highest }, now);
    }
    if (partition && before) this.answerEnds(partition, before);
  }

  /** Gives back what has been in hand since before a time, but none with so many deliveries. Gives how many. */
  releaseFromHand(before: number, keepFromDelivery: number): number {
    const old = this.hand.takeOlder(before, keepFromDelivery);
    for (const { partition, record } of old) partition.of.queue.release(record);
    return old.length;
  }

  /** Records whose schema is not known yet. */
  get waiting(): Iterable<{ readonly partition: QueuePartition; readonly record: DeliveredRecord }> {
    return this.unread;
  }

  /** Releases what has waited for its schema since before a time; those that the broker would archive soon are kept. */
  releaseUnread(before: number, keepFromDelivery: number): number {
    let count = 0;
    for (const unread of this.unread) {
      if (unread.since > before || unread.record.delivery >= keepFromDelivery) continue;
      this.unread.delete(unread);
      unread.partition.of.queue.release(unread.record);
      this.freeSlot();
      count++;
    }
    return count;
  }

  private answerEnds(partition: QueuePartition, last: DeliveredRecord): void {
    partition.noteAnswer(last);
    this.lane.leases.watchWindow(partition);
  }

  private takeOne(partition: QueuePartition, record: DeliveredRecord, highest: number, now: number): void {
    const { lane } = this;
    // A process that was frozen reads the answer late: somebody else may have the record by now.
    if (record.lockedUntil <= now) {
      lane.metrics.locksLost.inc();
      return;
    }
    if (this.resumes(partition, record)) return;
    lane.slots.begin();
    this.read(partition, record, highest);
  }

  /** A worker that is handed what it still runs keeps running it. True also for what it has ended but not yet accepted. */
  private resumes(partition: QueuePartition, record: DeliveredRecord): boolean {
    const run = partition.runs.get(record.offset);
    if (run === undefined) return false;
    if (run.overtaken) {
      // Somebody else had it meanwhile: the log says what has become of it, and what still runs here is a zombie's.
      this.lane.forget(run, new TaskError('WORKER_LOST', 'Another worker took the run over'));
      return false;
    }
    run.delivered = record;
    run.renewedAt = performance.now();
    run.lockLost = false;
    if (run.isHandedOver) partition.of.queue.accept(record);
    this.lane.metrics.resumed.inc();
    return true;
  }

  private read(partition: QueuePartition, record: DeliveredRecord, highest: number): void {
    const { codec, definition } = this.lane;
    const reading = readQueued(codec, record, definition.type, partition.of.priority);
    if ('queued' in reading) this.admit(partition, record, reading.queued, highest);
    else if ('unknownSchema' in reading) void this.readLater(partition, record, highest, reading.unknownSchema);
    else this.reject(partition, record, reading.reject, reading.error);
  }

  private admit(partition: QueuePartition, record: DeliveredRecord, queued: TaskQueued, highest: number): void {
    const { lane } = this;
    if (isCancelled(lane.control, queued)) {
      // Its end is on the log already.
      partition.of.queue.accept(record);
      lane.metrics.cancelled.inc();
      this.freeSlot();
      return;
    }
    const run = new TaskRun(lane, partition, record, queued);
    partition.runs.set(record.offset, run);
    const facts = partition.factsOf(record.session);
    // Which records of an older leader may have run before depends on where the group stands.
    if (facts.isReady || record.leaderEpoch >= record.session.leaderEpoch) this.judge(run, highest);
    else void facts.ready.then(() => run.state === 'checking' && this.judge(run, highest));
  }

  private judge(run: TaskRun, highest: number): void {
    const { lane } = this;
    const { delivered, partition, queued } = run;
    const { offset, leaderEpoch, delivery } = delivered;
    const { groupStart } = partition.factsOf(delivered.session);
    const suspicion = suspicionOf(
      { offset, leaderEpoch, delivery, check: queued.check },
      { leaderEpoch: delivered.session.leaderEpoch, groupStart, highest },
      lane.values,
    );
    if (suspicion) lane.check.begin(run, suspicion);
    else if (lane.gate.tryEnter(run)) lane.check.startFirst(run);
    else {
      run.state = 'waiting';
      lane.gate.enter(run, () => lane.check.startFirst(run));
    }
  }

  /** The writer used a schema that is newer than this process: it is learned first, while the record stays locked. */
  private async readLater(
    partition: QueuePartition,
    record: DeliveredRecord,
    highest: number,
    schemaId: number,
  ): Promise<void> {
    const unread: Unread = { partition, record, highest, since: performance.now() };
    this.unread.add(unread);
    for (let attempt = 1; this.unread.has(unread); attempt++) {
      try {
        const known = await this.lane.learnSchema(schemaId);
        if (!this.unread.delete(unread)) return;
        if (known) this.read(partition, record, highest);
        else this.reject(partition, record, 'unknown-schema', new Error(`No registry knows schema ${schemaId}`));
        return;
      } catch (error) {
        this.lane.logger.warn('The registry cannot be asked for a schema; trying again', { schemaId, error });
        await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, REGISTRY_BACKOFF)).unref());
      }
    }
  }

  /** A record that nobody can process. The projector parks it in taskflow.poison. */
  private reject(partition: QueuePartition, record: DeliveredRecord, reason: string, error: unknown): void {
    const { topic, partition: number, offset } = record;
    this.lane.logger.error('A record of the queue is rejected', { topic, partition: number, offset, reason, error });
    this.lane.metrics.rejected(reason);
    partition.of.queue.reject(record);
    this.freeSlot();
  }

  private freeSlot(): void {
    this.lane.slots.end();
    this.lane.slots.settle();
  }
}
