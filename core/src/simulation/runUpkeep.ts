import type { TaskEvent } from '@taskflow/schemas/events';
import { isCancelled } from '../control.ts';
import { decideHandOver, type HandOver, handOverEvent, isOvertakenBy } from '../handOver.ts';
import { decideReport, heartbeatAcknowledged, isHeartbeatDue, isRenewalDue } from '../runHold.ts';
import type { Run } from './run.ts';
import type { Worker } from './worker.ts';
import type { World } from './world.ts';

/** Keeps the runs of a worker its own: renews locks, hands over to leases, sends heartbeats. */
export class RunUpkeep {
  private readonly worker: Worker;
  private readonly world: World;

  constructor(worker: Worker, world: World) {
    this.worker = worker;
    this.world = world;
  }

  /** What is due of a run at this moment. */
  tend(run: Run): void {
    if (run.phase === 'over') return;
    const { values } = this.world;
    if (isCancelled(this.worker.control, run.queued)) {
      if (run.started) run.started.endedAt ??= this.worker.now;
      this.worker.accept(run);
      return;
    }
    if (run.unreported && decideReport('failure', run.hold, this.worker.now) !== 'after-hand-over') {
      run.unreported();
      return;
    }
    if (isRenewalDue(run.hold, run.renewedAt, this.worker.now, values)) this.renew(run);
    if (isHeartbeatDue(run.hold, run.heartbeatAt, this.worker.now, values)) this.heartbeat(run);
    const runs = run.phase === 'running' || run.phase === 'waiting' || run.unreported !== undefined;
    if (!runs || run.handingOver) return;
    const handOver = decideHandOver(
      { since: run.since, offset: run.record.offset, hold: run.hold },
      { now: this.worker.now, highest: this.worker.highest },
      values,
    );
    if (handOver) this.handOver(run, handOver);
  }

  private renew(run: Run): void {
    run.renewedAt = this.worker.now;
    const sentAt = this.worker.now;
    const { connection, record } = run;
    this.worker.call(
      (broker) => broker.isOpen(connection) && broker.group.renew(connection, record.offset, this.world.timeline.now),
      (renewed) => {
        if (run.connection !== connection) return;
        if (renewed) run.hold = { ...run.hold, lockedUntil: sentAt + this.world.values.lockMs };
        else run.hold = { ...run.hold, lockLost: true };
      },
      () => {},
    );
  }

  private heartbeat(run: Run): void {
    run.heartbeatAt = this.worker.now;
    const { leaseMs } = this.world.values;
    const event = { ...handOverEvent(run.queued, this.worker.stamp(), leaseMs), task: null };
    this.worker.append(
      run,
      event,
      (_, sentAt) => {
        run.hold = heartbeatAcknowledged(run.hold, sentAt, this.worker.now, this.world.values);
      },
      () => run.phase === 'over',
    );
  }

  private handOver(run: Run, how: HandOver): void {
    run.handingOver = true;
    if (!how.lookFirst) {
      this.claim(run, how);
      return;
    }
    this.worker.read(run, run.lookFrom, undefined, (events, end) => {
      if (this.isOvertaken(run, events)) return;
      run.lookFrom = { offset: end };
      this.claim(run, how);
    });
  }

  private claim(run: Run, how: HandOver): void {
    const event = handOverEvent(run.queued, this.worker.stamp(), this.world.values.leaseMs);
    this.world.count(`handed over: ${how.reason}`);
    this.worker.append(
      run,
      event,
      (offset, sentAt) => {
        run.heartbeatAt = sentAt;
        if (!how.lookAfter) this.handedOver(run, sentAt);
        else {
          this.worker.read(run, run.lookFrom, offset, (events) => {
            if (!this.isOvertaken(run, events)) this.handedOver(run, sentAt);
          });
        }
      },
      () => {
        const late = how.lookFirst || run.phase === 'over' || run.hold.lockedUntil <= this.worker.now;
        if (late) run.handOverEnded();
        return late;
      },
    );
  }

  private handedOver(run: Run, sentAt: number): void {
    this.worker.settle(run, 'accept');
    run.hold = heartbeatAcknowledged(run.hold, sentAt, this.worker.now, this.world.values);
    run.handOverEnded();
    run.unreported?.();
  }

  private isOvertaken(run: Run, events: readonly { event: TaskEvent }[]): boolean {
    const overtaken = events.some(
      ({ event }) => !run.ownEvents.has(event.eventId) && isOvertakenBy(event, run.queued, this.worker.name),
    );
    if (!overtaken) return false;
    this.world.count('overtaken');
    run.hold = { ...run.hold, overtaken: true };
    run.handOverEnded();
    if (run.unreported) run.unreported();
    return true;
  }
}
