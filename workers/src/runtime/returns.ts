import { isHeld } from '@taskflow/core/runHold';
import { decideStop, workerStopped } from '@taskflow/core/workerStopped';
import { TaskError } from '../taskError.ts';
import type { TaskRun } from './taskRun.ts';
import type { TypeLane } from './typeLane.ts';

const LONGEST_IN_HAND_MS = 1_000;

/** Gives back what this process does not do: to the broker what is locked, through the log what is handed over. */
export class Returns {
  private readonly lane: TypeLane;

  constructor(lane: TypeLane) {
    this.lane = lane;
  }

  /** The worker stops: what has not begun is given back at once. */
  giveUpWaiting(): void {
    this.lane.intake.releaseFromHand(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    this.lane.intake.releaseUnread(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    for (const run of this.lane.runs()) {
      if (run.state === 'checking' || (run.state === 'waiting' && !run.isHandedOver)) this.giveUp(run);
    }
  }

  /** The grace is over: handlers that still run are told to stop. Outcomes on their way stay on their way. Gives how many. */
  giveUpAll(): number {
    let count = 0;
    for (const run of this.lane.runs()) {
      if (run.state === 'ended') continue;
      this.giveUp(run);
      count++;
    }
    return count;
  }

  giveUp(run: TaskRun): void {
    const { lane } = this;
    const decision = decideStop({ handedOver: run.isHandedOver, held: isHeld(run.hold, performance.now()) });
    if (decision === 'release') run.partition.of.queue.release(run.delivered);
    if (decision === 'give-back') {
      lane.append(run, workerStopped(run.queued, 'The worker was stopped before the run had ended', lane.stamp()));
    }
    lane.forget(run, new TaskError('WORKER_STOPPED', 'The worker stops'));
  }

  /**
   * What came before its slot waits no longer than a second, should the tasks before it last: others may have slots. Those
   * that the queue would archive after a few deliveries more stay.
   */
  releaseFromHand(now: number): void {
    const before = now - LONGEST_IN_HAND_MS;
    const keepFrom = this.lane.values.giveBackAtDelivery - 1;
    this.lane.intake.releaseFromHand(before, keepFrom);
    for (const run of this.lane.lent.waitingSince(before)) if (run.delivered.delivery < keepFrom) this.giveUp(run);
  }

  /**
   * Nobody holds a record for longer than a hand-over's age without having decided about it (but for as long as a check may
   * well take on a busy machine). Those that the queue would archive after a few deliveries more are kept all the same.
   */
  releaseUndecided(now: number): void {
    const { handOverAfterMs, lookAgainAfterForgottenMs, giveBackAtDelivery } = this.lane.values;
    const before = now - Math.max(handOverAfterMs, 4 * lookAgainAfterForgottenMs);
    const keepFrom = giveBackAtDelivery - 1;
    let count = this.lane.intake.releaseUnread(before, keepFrom);
    for (const run of this.lane.runs()) {
      if (run.state !== 'checking' || run.since > before || run.delivered.delivery >= keepFrom) continue;
      run.partition.of.queue.release(run.delivered);
      this.lane.forget(run);
      count++;
    }
    if (count > 0) this.lane.logger.warn(`${count} records stayed undecided and were given back`);
  }
}
