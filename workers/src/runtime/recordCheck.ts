import { type CheckDecision, decideClaim, decideDelivered } from '@taskflow/core/deliveredCheck';
import { expiredError, mayExpire } from '@taskflow/core/expiry';
import { type Findings, nothingFound, withFound } from '@taskflow/core/findings';
import { handOverEvent } from '@taskflow/core/handOver';
import { lookBackFrom } from '@taskflow/core/lookBack';
import { isHeld } from '@taskflow/core/runHold';
import { decideStart } from '@taskflow/core/start';
import type { Suspicion } from '@taskflow/core/suspicion';
import { workerLost } from '@taskflow/core/workerLost';
import { workerStopped } from '@taskflow/core/workerStopped';
import type { TaskEvent, TaskStarted } from '@taskflow/schemas/events';
import type { LookFrom, Seen } from './eventsTail.ts';
import type { TaskRun } from './taskRun.ts';
import type { TypeLane } from './typeLane.ts';

/** What is known of a record that may have run before. */
export interface Checking {
  readonly suspicion: Suspicion;
  findings: Findings;
  /** How often the log has been read. */
  looks: number;
  /** Up to where its events partition has been read. */
  seenUpTo: number;
}

/**
 * What is done about a record that may have run before (PROTOCOL.md, 1 to 4): the log is read until `core` can decide, then
 * the event that settles it is written, or it is started anew. Starts of first deliveries are here, too.
 */
export class RecordCheck {
  private readonly lane: TypeLane;

  constructor(lane: TypeLane) {
    this.lane = lane;
  }

  /** A first delivery for certain: its handler starts in this turn. TaskStarted precedes its outcome on the log all the same. */
  startFirst(run: TaskRun): void {
    if (run.state === 'waiting') {
      if (!this.stillHolds(run, () => this.startFirst(run))) return;
      run.since = performance.now();
    }
    const event = this.startEvent(run);
    if (!event) return;
    this.lane.append(run, event);
    run.begin();
  }

  begin(run: TaskRun, suspicion: Suspicion): void {
    run.check = { suspicion, findings: nothingFound, looks: 0, seenUpTo: 0 };
    this.lane.metrics.checked(suspicion);
    this.lane.lent.lend(run);
    void this.firstLook(run, run.check).catch((error: unknown) => this.lane.failed('A check', run, error));
  }

  private async firstLook(run: TaskRun, check: Checking): Promise<void> {
    const { clock, values } = this.lane;
    const { delivered, queued, partition } = run;
    const facts = partition.factsOf(delivered.session);
    const lastEventOfOldLeader = check.suspicion.forgotten
      ? await facts.lastEventOfOldLeader(queued.eventsPartition)
      : undefined;
    const time = lookBackFrom(
      { appendedAt: delivered.appendedAt, occurredAt: queued.occurredAt, delivery: delivered.delivery },
      check.suspicion,
      {
        now: clock.now(),
        unavailableAt: partition.availability.unavailableAt(delivered.offset, run.fetchedAt).map((at) => clock.at(at)),
        lastEventOfOldLeader,
      },
      { ...values, lockMs: delivered.session.lockMs },
    );
    await this.look(run, check, { time });
  }

  private async look(run: TaskRun, check: Checking, from: LookFrom): Promise<void> {
    const { ready } = run.partition.factsOf(run.delivered.session);
    // Whether a starter is presumed alive depends on them, which is asked only about what the broker has forgotten.
    const [seen] = await Promise.all([this.lane.look(run, from), check.suspicion.forgotten && ready]);
    if (run.state !== 'checking') return;
    note(run, check, seen);
    check.looks++;
    const decision = this.decide(run, check);
    if (decision.action === 'look-again') {
      setTimeout(() => {
        const again = this.look(run, check, { offset: seen.end });
        again.catch((error: unknown) => this.lane.failed('A check', run, error));
      }, decision.afterMs);
      return;
    }
    this.actIfHeld(run, decision);
  }

  private decide(run: TaskRun, check: Checking): CheckDecision {
    const { workerId, definition, values } = this.lane;
    const { eventsEnds, session } = run.partition.factsOf(run.delivered.session);
    return decideDelivered(
      check.findings,
      {
        workerId,
        takeover: definition.takeover ?? 'at-once',
        delivery: run.delivered.delivery,
        recoveries: run.queued.recoveries,
        forgotten: check.suspicion.forgotten,
        leaderIsNew: run.delivered.leaderEpoch < session.leaderEpoch,
        copy: check.suspicion.copy,
        // Where nobody could say, a starter is presumed alive rather than dead.
        eventsEndAtSession: eventsEnds?.[run.queued.eventsPartition] ?? Number.POSITIVE_INFINITY,
        sessionAgeMs: performance.now() - session.openedAt,
        heldMs: performance.now() - run.since,
        looks: check.looks,
      },
      values,
    );
  }

  private actIfHeld(run: TaskRun, decision: Exclude<CheckDecision, { action: 'look-again' }>): void {
    if (this.stillHolds(run, () => this.actIfHeld(run, decision))) this.act(run, decision);
  }

  private act(run: TaskRun, decision: Exclude<CheckDecision, { action: 'look-again' }>): void {
    const { lane } = this;
    const { queued } = run;
    lane.metrics.decided(decision.action);
    switch (decision.action) {
      case 'accept':
        lane.accept(run);
        break;
      case 'hand-over':
        this.settleWith(run, handOverEvent(queued, lane.stamp(decision.starter), lane.values.leaseMs));
        break;
      case 'fail': {
        const message = `Started ${lane.values.maxStarts} times, and lost with its worker each time`;
        this.settleWith(run, workerLost(queued, message, lane.stamp()));
        break;
      }
      case 'give-back': {
        const message = `Handed out ${run.delivered.delivery} times, close to the queue's limit`;
        this.settleWith(run, workerStopped(queued, message, lane.stamp()));
        break;
      }
      case 'run':
        run.starts = decision.starts;
        run.alone = decision.alone;
        run.state = 'waiting';
        lane.lent.whenBack(run, () => lane.gate.enter(run, () => this.claim(run)));
        break;
    }
  }

  /** Accepted without a run once the event is on the log. */
  private settleWith(run: TaskRun, event: TaskEvent): void {
    const { lane } = this;
    run.wrote(event.eventId);
    lane.append(run, event, {
      acknowledged: () => {
        if (run.state === 'checking') lane.accept(run);
      },
      refused: (error) => lane.unrecordable(run, error),
      withdraws: () => run.state === 'over',
    });
  }

  /** Its start is a claim: what came to the log before it decides who runs the attempt. */
  private claim(run: TaskRun): void {
    const { lane } = this;
    if (!this.stillHolds(run, () => this.claim(run))) return;
    const event = this.startEvent(run);
    if (!event) return;
    run.wrote(event.eventId);
    lane.append(run, event, {
      acknowledged: ({ offset }) => {
        this.confirm(run, offset).catch((error: unknown) => lane.failed('A claim', run, error));
      },
      refused: (error) => lane.unrecordable(run, error),
      withdraws: () => run.state === 'over',
    });
  }

  private async confirm(run: TaskRun, startOffset: number): Promise<void> {
    const { lane } = this;
    const check = run.check!;
    const lookedUpTo = check.seenUpTo;
    const seen = await lane.look(run, { offset: lookedUpTo }, startOffset);
    if (run.state !== 'waiting') return;
    note(run, check, seen);
    // Where the lock has passed, a start just before this one may be that of whoever has the record now: then its hand-over must see it.
    run.lookFrom = { offset: isHeld(run.hold, performance.now()) ? startOffset : lookedUpTo };
    this.settleClaim(run, check);
  }

  /**
   * Its start is on the log. Where its lock has passed meanwhile it is handed over first: whoever is handed the record sees that start,
   * and would wait for a lease that nobody keeps where a type's effects bear no second run, or where the leader is new.
   */
  private settleClaim(run: TaskRun, check: Checking): void {
    const { lane } = this;
    if (!check.findings.settled && !isHeld(run.hold, performance.now())) {
      lane.leases.upkeep(run);
      if (run.handingOver) {
        run.onceHandedOver(() => this.settleClaim(run, check));
        return;
      }
    }
    const decision = decideClaim(check.findings, isHeld(run.hold, performance.now()));
    lane.metrics.claimed(decision.action);
    if (decision.action === 'accept') lane.accept(run);
    else if (decision.action === 'drop') lane.forget(run);
    else {
      run.since = performance.now();
      run.begin();
    }
  }

  /** Undefined where it starts too late: then it is failed. */
  private startEvent(run: TaskRun): TaskStarted | undefined {
    const { clock, values } = this.lane;
    const { queued, delivered, starts } = run;
    const expired = mayExpire(queued, starts) ? expiredError(queued.task, clock.now()) : undefined;
    if (expired) {
      run.fail(expired);
      return undefined;
    }
    const { eventId, now, workerId } = this.lane.stamp();
    return decideStart(queued, {
      now,
      eventId,
      workerId,
      delivery: delivered.delivery,
      starts,
      leaseMs: values.leaseMs,
      queuePartition: delivered.partition,
      queueOffset: delivered.offset,
    });
  }

  /**
   * Drops a run that somebody else may have by now: its record comes again, to whomever. But what is being handed over is asked about
   * `again` when that has ended: dropped meanwhile, it would wait for the end of a lease that nobody keeps.
   */
  private stillHolds(run: TaskRun, again: () => void): boolean {
    if (isHeld(run.hold, performance.now())) return true;
    if (run.handingOver) run.onceHandedOver(again);
    else this.lane.forget(run);
    return false;
  }
}

function note(run: TaskRun, check: Checking, { events, end }: Seen): void {
  const { queued, delivered } = run;
  const record = { queued, partition: delivered.partition, offset: delivered.offset };
  for (const { event, offset } of events) {
    if (!run.ownEvents?.has(event.eventId)) check.findings = withFound(check.findings, record, event, offset);
  }
  check.seenUpTo = end;
}
