import { decideHandOver, type HandOver, handOverEvent, isOvertakenBy } from '@taskflow/core/handOver';
import {
  decideReport,
  heartbeatAcknowledged,
  isHeartbeatDue,
  isRenewalDue,
  type RunHold,
} from '@taskflow/core/runHold';
import type { LookFrom, Seen } from './eventsTail.ts';
import { heartbeat } from './heartbeat.ts';
import type { DeliveredRecord, TaskQueue } from './ports.ts';
import type { QueuePartition } from './queuePartition.ts';
import type { TaskRun } from './taskRun.ts';
import type { TypeLane } from './typeLane.ts';

/** Holds what runs: renews locks, hands runs over to leases on the log, keeps these up, and finds out where a run was lost. */
export class Leases {
  private readonly lane: TypeLane;

  constructor(lane: TypeLane) {
    this.lane = lane;
  }

  /** Everything that is due by now. */
  tick(now: number): void {
    const due = new Map<TaskQueue, DeliveredRecord[]>();
    for (const run of this.lane.runs()) {
      this.renewIfDue(run, now, due);
      this.upkeep(run, now);
    }
    for (const { partition, record } of this.lane.intake.waiting) {
      if (record.lockedUntil - now < 2 * this.lane.values.renewEveryMs) push(due, partition.of.queue, record);
    }
    for (const [queue, records] of due) this.renew(queue, records);
  }

  /** What is due for one run, beside the renewal of its lock. */
  upkeep(run: TaskRun, now = performance.now()): void {
    if (run.state === 'over') return;
    const { hold } = run;
    const { values } = this.lane;
    if (run.unreported && decideReport('failure', hold, now) !== 'after-hand-over') {
      run.unreported();
      return;
    }
    if (isHeartbeatDue(hold, run.heartbeatAt, now, values)) this.heartbeat(run, now);
    else run.writeProgress(now);
    const goesOn = run.state === 'running' || run.state === 'waiting' || run.unreported !== undefined;
    if (!goesOn || run.handingOver) return;
    const { since, delivered, partition } = run;
    const handOver = decideHandOver(
      { since, offset: delivered.offset, hold },
      { now, highest: partition.highest },
      values,
    );
    if (handOver) this.handOver(run, handOver);
  }

  /** Called when a partition has moved on: its oldest runs hold it back. */
  watchWindow(partition: QueuePartition): void {
    const far = partition.highest - this.lane.values.maxRecordLocks / 4;
    for (const [offset, run] of partition.runs) {
      if (run.isHandedOver || run.handingOver) continue;
      if (offset > far) return;
      this.upkeep(run);
    }
  }

  private renewIfDue(run: TaskRun, now: number, due: Map<TaskQueue, DeliveredRecord[]>): void {
    if (run.state === 'over' || !isRenewalDue(run.hold, run.renewedAt, now, this.lane.values)) return;
    run.renewedAt = now;
    push(due, run.partition.of.queue, run.delivered);
  }

  private renew(queue: TaskQueue, records: readonly DeliveredRecord[]): void {
    queue.renew(records).then(
      ({ lost }) => {
        if (lost.length === 0) return;
        this.lane.metrics.locksLost.inc(lost.length);
        for (const record of lost) {
          const run = this.lane.partitionOf(record).runs.get(record.offset);
          if (run?.delivered !== record) continue;
          run.lockLost = true;
          this.upkeep(run);
        }
      },
      (error: unknown) => this.lane.logger.debug('Locks could not be renewed', { error }),
    );
  }

  private heartbeat(run: TaskRun, now: number): void {
    run.heartbeatAt = now;
    const { lane } = this;
    const event = heartbeat(run.queued, lane.stamp(), lane.values.leaseMs, run.takeProgress(now));
    lane.append(run, event, {
      acknowledged: (_, sentAt) => this.leased(run, sentAt),
      refused: (error) => lane.failed('A heartbeat', run, error),
      withdraws: () => run.state === 'over',
    });
  }

  private handOver(run: TaskRun, how: HandOver): void {
    run.handingOver = true;
    this.begin(run, how).catch((error: unknown) => this.lane.failed('A hand-over', run, error));
  }

  private async begin(run: TaskRun, how: HandOver): Promise<void> {
    if (how.lookFirst) {
      const seen = await this.lane.look(run, this.lookFrom(run));
      if (run.state === 'over' || this.isOvertaken(run, seen)) return;
      run.lookFrom = { offset: seen.end };
    }
    this.claim(run, how);
  }

  /** The hand-over is a claim, too: a start of somebody else that comes to the log before it wins. */
  private claim(run: TaskRun, how: HandOver): void {
    const { lane } = this;
    const event = handOverEvent(run.queued, lane.stamp(), lane.values.leaseMs);
    run.wrote(event.eventId);
    lane.metrics.handedOver(how.reason);
    lane.append(run, event, {
      acknowledged: ({ offset }, sentAt) => {
        this.confirm(run, how, offset, sentAt).catch((error: unknown) => lane.failed('A hand-over', run, error));
      },
      refused: (error) => {
        run.handOverEnded();
        lane.failed('A hand-over', run, error);
      },
      withdraws: () => this.withdraws(run, how),
    });
  }

  /** What waited while the lock passed is decided anew. */
  private withdraws(run: TaskRun, how: HandOver): boolean {
    const late = how.lookFirst || run.state === 'over' || run.delivered.lockedUntil <= performance.now();
    if (late) run.handOverEnded();
    return late;
  }

  private async confirm(run: TaskRun, how: HandOver, offset: number, sentAt: number): Promise<void> {
    if (how.lookAfter) {
      const seen = await this.lane.look(run, this.lookFrom(run), offset);
      if (run.state !== 'over' && this.isOvertaken(run, seen)) return;
    }
    if (run.state !== 'over') {
      run.heartbeatAt = sentAt;
      this.lane.settle(run);
      this.leased(run, sentAt);
      run.unreported?.();
    }
    run.handOverEnded();
  }

  private leased(run: TaskRun, sentAt: number): void {
    const hold: RunHold = heartbeatAcknowledged(run.hold, sentAt, performance.now(), this.lane.values);
    run.leaseUntil = hold.leaseUntil;
    run.overtaken = hold.overtaken;
  }

  private isOvertaken(run: TaskRun, { events }: Seen): boolean {
    const { workerId } = this.lane;
    const overtaken = events.some(
      ({ event }) => !run.ownEvents?.has(event.eventId) && isOvertakenBy(event, run.queued, workerId),
    );
    if (!overtaken) return false;
    this.lane.metrics.overtaken.inc();
    run.overtaken = true;
    run.unreported?.();
    run.handOverEnded();
    return true;
  }

  /** From the run's own start where that was a claim; else from when its fetch left. */
  private lookFrom(run: TaskRun): LookFrom {
    const { clock, values } = this.lane;
    run.lookFrom ??= { time: clock.at(run.fetchedAt) - values.brokerClockSkewMs };
    return run.lookFrom;
  }
}

function push(due: Map<TaskQueue, DeliveredRecord[]>, queue: TaskQueue, record: DeliveredRecord): void {
  const records = due.get(queue);
  if (records) records.push(record);
  else due.set(queue, [record]);
}
