import type { TaskEvent } from '@taskflow/schemas/events';
import { decideClaim, decideDelivered } from '../deliveredCheck.ts';
import { expiredError, mayExpire } from '../expiry.ts';
import { withFound } from '../findings.ts';
import { handOverEvent } from '../handOver.ts';
import { lookBackFrom } from '../lookBack.ts';
import { isHeld } from '../runHold.ts';
import { decideStart } from '../start.ts';
import type { Suspicion } from '../suspicion.ts';
import { workerLost } from '../workerLost.ts';
import { workerStopped } from '../workerStopped.ts';
import type { Session } from './membership.ts';
import type { Run } from './run.ts';
import type { Worker } from './worker.ts';
import type { World } from './world.ts';

/** What a worker does about a record that may have run before. */
export class RecordCheck {
  private readonly worker: Worker;
  private readonly world: World;

  constructor(worker: Worker, world: World) {
    this.worker = worker;
    this.world = world;
  }

  begin(run: Run, suspicion: Suspicion, session: Session): void {
    const { queued, record } = run;
    const unavailableAt = this.worker.shownNothing.filter(({ below }) => record.offset < below).map(({ at }) => at);
    const from = lookBackFrom(
      { appendedAt: record.appendedAt, occurredAt: queued.occurredAt, delivery: run.delivery },
      suspicion,
      {
        now: this.worker.now,
        unavailableAt,
        lastEventOfOldLeader: session.lastEventsOfOldLeader[queued.eventsPartition],
      },
      this.world.values,
    );
    this.look(run, { time: from }, suspicion, session);
  }

  private look(run: Run, from: { time: number } | { offset: number }, suspicion: Suspicion, session: Session): void {
    this.worker.read(run, from, undefined, (events, end) => {
      this.note(run, events);
      run.seenUpTo = end;
      run.looks++;
      const decision = decideDelivered(
        run.findings,
        {
          workerId: this.worker.name,
          takeover: this.world.takeover,
          delivery: run.delivery,
          recoveries: run.queued.recoveries,
          forgotten: suspicion.forgotten,
          leaderIsNew: run.record.leaderEpoch < session.leaderEpoch,
          copy: suspicion.copy,
          eventsEndAtSession: session.eventsEnds[run.queued.eventsPartition]!,
          sessionAgeMs: this.worker.now - session.openedAt,
          heldMs: this.worker.now - run.since,
          looks: run.looks,
        },
        this.world.values,
      );
      if (decision.action === 'look-again') {
        this.worker.after(decision.afterMs, () => this.look(run, { offset: end }, suspicion, session));
        return;
      }
      if (!isHeld(run.hold, this.worker.now)) {
        this.world.count('check: lock passed');
        this.worker.forget(run);
        return;
      }
      this.act(run, decision);
    });
  }

  private act(run: Run, decision: Exclude<ReturnType<typeof decideDelivered>, { action: 'look-again' }>): void {
    const { worker } = this;
    const because = decision.action === 'accept' ? `: ${decision.because}` : '';
    this.world.count(`check: ${decision.action}${because}`);
    const { queued } = run;
    switch (decision.action) {
      case 'accept':
        worker.accept(run);
        break;
      case 'hand-over':
        this.settleWith(run, handOverEvent(queued, worker.stamp(decision.starter), this.world.values.leaseMs));
        break;
      case 'fail':
        this.settleWith(
          run,
          workerLost(queued, `Started ${this.world.values.maxStarts} times in vain`, worker.stamp()),
        );
        break;
      case 'give-back':
        this.settleWith(run, workerStopped(queued, `Delivered ${run.delivery} times`, worker.stamp()));
        break;
      case 'run':
        run.starts = decision.starts;
        run.alone = decision.alone;
        worker.enterGate(run, () => this.claim(run));
        break;
    }
  }

  private settleWith(run: Run, event: TaskEvent): void {
    this.worker.append(
      run,
      event,
      () => this.worker.accept(run),
      () => run.phase === 'over',
    );
  }

  private claim(run: Run): void {
    this.start(run, (offset) =>
      this.worker.read(run, { offset: run.seenUpTo }, offset, (events) => {
        this.note(run, events);
        run.lookFrom = { offset: isHeld(run.hold, this.worker.now) ? offset : run.seenUpTo };
        this.settleClaim(run);
      }),
    );
  }

  private settleClaim(run: Run): void {
    const { worker } = this;
    if (!run.findings.settled && !isHeld(run.hold, worker.now)) {
      worker.upkeep.tend(run); // its start is on the log: it is handed over first
      if (run.handingOver) {
        this.world.count('claim: handed over first');
        run.afterHandOver = () => this.settleClaim(run);
        return;
      }
      if (run.phase !== 'waiting') return; // cancelled
    }
    // Handed over meanwhile, as it waited to run alone: the run is this worker's already.
    const decision = decideClaim(run.findings, isHeld(run.hold, worker.now));
    if (decision.action === 'run') worker.runHandler(run);
    else if (decision.action === 'accept') worker.accept(run);
    else worker.forget(run);
    if (decision.action !== 'run') this.world.count(`claim: ${decision.action}`);
  }

  /** Appends its TaskStarted, unless it starts too late. */
  start(run: Run, acknowledged: (offset: number) => void): void {
    const { queued, record } = run;
    const { worker, world } = this;
    const expired = mayExpire(queued, run.starts) ? expiredError(queued.task, world.timeline.now) : undefined;
    if (expired) {
      worker.end(run, { kind: 'failed', error: expired });
      return;
    }
    const context = { delivery: run.delivery, starts: run.starts, leaseMs: world.values.leaseMs };
    const place = { queuePartition: 0, queueOffset: record.offset };
    worker.append(run, decideStart(queued, { ...worker.stamp(), ...context, ...place }), (offset) => {
      if (run.phase !== 'over') acknowledged(offset);
    });
  }

  private note(run: Run, events: readonly { event: TaskEvent; offset: number }[]): void {
    const checked = { queued: run.queued, partition: 0, offset: run.record.offset };
    for (const { event, offset } of events) {
      if (run.ownEvents.has(event.eventId)) continue;
      run.findings = withFound(run.findings, checked, event, offset);
    }
  }
}
