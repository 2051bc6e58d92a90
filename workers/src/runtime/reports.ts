import { decideOutcome, type Outcome } from '@taskflow/core/outcome';
import { decideReport } from '@taskflow/core/runHold';
import type { TaskRun } from './taskRun.ts';
import type { TypeLane } from './typeLane.ts';

/** Says how runs ended, as far as they may say it. */
export class Reports {
  private readonly lane: TypeLane;
  /** Runs whose outcome on its way to the log is a failure, which a zombie may not say. */
  private readonly failures = new WeakMap<TaskRun, { readonly outcome: Outcome; readonly durationMs: number }>();

  constructor(lane: TypeLane) {
    this.lane = lane;
  }

  report(run: TaskRun, outcome: Outcome, durationMs: number): void {
    const { lane } = this;
    const { definition } = lane;
    const { eventId, now, workerId } = lane.stamp();
    const event = decideOutcome(
      run.queued,
      outcome,
      {
        now,
        eventId,
        workerId,
        durationMs: Math.round(durationMs),
        resultStorage: definition.inline ? 'inline' : 'mongo',
        resultTtlMs: null,
      },
      { random: Math.random() },
    );
    const isFailure = event.event !== 'TaskSucceeded';
    if (isFailure) {
      const decision = decideReport('failure', run.hold, performance.now());
      if (decision === 'withhold') {
        lane.metrics.zombies.inc();
        lane.forget(run);
        return;
      }
      if (decision === 'after-hand-over') {
        this.reportLater(run, outcome, durationMs);
        return;
      }
      run.wrote(eventId);
      this.failures.set(run, { outcome, durationMs });
    }
    run.unreported = undefined;
    lane.metrics.ended(event, durationMs);
    lane.append(run, event, run);
  }

  /** Asked before an outcome is sent again: whether it is a failure that may not be said any more, or not yet. */
  withdraws(run: TaskRun): boolean {
    const failure = this.failures.get(run);
    if (failure === undefined || decideReport('failure', run.hold, performance.now()) === 'report') return false;
    this.failures.delete(run);
    this.reportLater(run, failure.outcome, failure.durationMs);
    return true;
  }

  /** Once the run is handed over, which is to be at once. */
  private reportLater(run: TaskRun, outcome: Outcome, durationMs: number): void {
    run.unreported = () => {
      run.unreported = undefined;
      this.report(run, outcome, durationMs);
    };
    setImmediate(() => this.lane.leases.upkeep(run));
  }
}
