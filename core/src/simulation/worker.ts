import type { TaskEvent } from '@taskflow/schemas/events';
import { applyControl, emptyControl, isCancelled } from '../control.ts';
import { decideOutcome, type Outcome } from '../outcome.ts';
import { decideReport, isHeld } from '../runHold.ts';
import { suspicionOf } from '../suspicion.ts';
import { decideStop, workerStopped } from '../workerStopped.ts';
import { Gate } from './gate.ts';
import { Membership, type Session } from './membership.ts';
import { Process } from './process.ts';
import { RecordCheck } from './recordCheck.ts';
import { Run } from './run.ts';
import { RunUpkeep } from './runUpkeep.ts';
import type { AcquiredRecord } from './shareGroup.ts';
import { WorkerOutbox } from './workerOutbox.ts';
import type { TaskPlan, World } from './world.ts';

const tickMs = 500;
const fetchWaitMs = 500;

/** A worker process: the runtime as PROTOCOL.md describes it, on the real decisions. */
export class Worker extends Process {
  readonly outbox: WorkerOutbox;
  readonly runs = new Map<number, Run>();
  readonly control = emptyControl();
  /** Times at which nothing was to be had below `below`. */
  readonly shownNothing: { readonly at: number; readonly below: number }[] = [];
  private readonly slots: number;
  private readonly gate: Gate;
  private readonly check: RecordCheck;
  readonly membership: Membership;
  readonly upkeep: RunUpkeep;
  highest = -1;
  private fetching = false;
  stopping = false;
  private controlRead = 0;

  constructor(world: World, name: string, slots: number) {
    super(world, name);
    this.slots = slots;
    this.outbox = new WorkerOutbox(this, world);
    this.gate = new Gate();
    this.check = new RecordCheck(this, world);
    this.membership = new Membership(this, world);
    this.upkeep = new RunUpkeep(this, world);
    this.readControl(() => this.membership.open());
    this.after(tickMs, () => this.tick());
  }

  get handlers(): number {
    let count = 0;
    for (const run of this.runs.values()) if (run.phase === 'running' && run.started) count++;
    return count;
  }

  append(
    run: Run,
    event: TaskEvent,
    acknowledged?: (offset: number, sentAt: number) => void,
    withdraws?: () => boolean,
  ): void {
    run.ownEvents.add(event.eventId);
    const outgoing = { event, partition: run.queued.eventsPartition };
    this.outbox.push({ ...outgoing, ...(acknowledged && { acknowledged }), ...(withdraws && { withdraws }) });
  }

  stamp(workerId = this.name): { now: number; eventId: string; workerId: string } {
    return { now: this.wallClock, eventId: this.world.nextId(), workerId };
  }

  /** Events of the partition in a range, and where it ends now. Asks again until it is answered, or the run is over. */
  read(
    run: Run,
    from: { offset: number } | { time: number },
    to: number | undefined,
    then: (events: readonly { event: TaskEvent; offset: number }[], end: number) => void,
  ): void {
    const partition = run.queued.eventsPartition;
    this.call(
      (broker) => {
        const first = 'offset' in from ? from.offset : broker.offsetAt(partition, from.time);
        const end = to ?? broker.endOf(partition);
        return { events: broker.events[partition]!.slice(first, end), end };
      },
      ({ events, end }) => {
        if (run.phase !== 'over') then(events, end);
      },
      () => {
        if (run.phase !== 'over') this.after(100, () => this.read(run, from, to, then));
      },
    );
  }

  // ── records ───────────────────────────────────────────────────────────────────────────────────────────────────

  fetch(): void {
    const free =
      this.slots - [...this.runs.values()].filter(({ phase }) => phase !== 'ended' && phase !== 'over').length;
    const session = this.membership.current;
    if (!session || this.fetching || this.stopping || free <= 0 || this.gate.isBlocked || this.control.paused.size > 0)
      return;
    this.fetching = true;
    const sentAt = this.now;
    this.callWaiting<AcquiredRecord[] | undefined>(
      (broker, answer) => {
        if (broker.isOpen(session.connection)) broker.fetch(session.connection, free, fetchWaitMs, answer);
        else answer(undefined);
      },
      (records) => {
        this.fetching = false;
        if (records === undefined) this.membership.lost(session);
        else this.received(records, sentAt, session);
        this.fetch();
      },
      () => {
        this.fetching = false;
        this.membership.lost(session);
      },
    );
  }

  private received(records: readonly AcquiredRecord[], sentAt: number, session: Session): void {
    const lockedUntil = sentAt + this.world.values.lockMs;
    for (const acquired of records) {
      const { offset, leaderEpoch, queued } = acquired.record;
      const highest = this.highest;
      this.highest = Math.max(highest, offset);
      const run = new Run(acquired, session.connection, lockedUntil, sentAt, this.now);
      if (this.stopping) {
        this.settle(run, 'release');
        continue;
      }
      if (lockedUntil <= this.now || this.resumes(run)) continue;
      this.runs.set(offset, run);
      if (isCancelled(this.control, queued)) {
        this.accept(run);
        continue;
      }
      const facts = { offset, leaderEpoch, delivery: acquired.delivery, check: queued.check };
      const suspicion = suspicionOf(facts, { ...session, highest }, this.world.values);
      if (suspicion) this.check.begin(run, suspicion, session);
      else this.gate.enter(run, () => this.begin(run));
    }
    // Of its own records an answer shows nothing: they may have been to be had for long.
    this.shownNothing.push({ at: sentAt, below: records.at(-1)?.record.offset ?? Number.POSITIVE_INFINITY });
  }

  /** A worker that is handed what it still runs keeps running it. */
  private resumes(delivered: Run): boolean {
    const run = this.runs.get(delivered.record.offset);
    if (!run || run.phase === 'over') return false;
    if (run.hold.overtaken) {
      // Someone else had it meanwhile: the log says what has become of it, and this run goes on only as the new one.
      delivered.started = run.started;
      run.phase = 'over';
      return false;
    }
    run.record = delivered.record;
    run.delivery = delivered.delivery;
    run.connection = delivered.connection;
    if (run.isHandedOver) this.settle(run, 'accept');
    else run.hold = delivered.hold;
    run.renewedAt = this.now;
    this.world.count('kept running what it was handed again');
    return true;
  }

  /** A first delivery: its handler starts at once. */
  private begin(run: Run): void {
    this.check.start(run, () => {});
    if (run.phase !== 'over' && run.phase !== 'ended') this.runHandler(run);
  }

  enterGate(run: Run, go: () => void): void {
    run.phase = 'waiting';
    this.gate.enter(run, go);
  }

  runHandler(run: Run): void {
    if (run.phase === 'over') return;
    run.phase = 'running';
    run.since = this.now;
    const { queued } = run;
    const plan = JSON.parse(queued.task.payload) as TaskPlan;
    if (run.started?.endedAt === undefined && run.started) return; // goes on
    const { taskId, generation, attempt } = queued;
    const beside = this.handlers;
    run.started = {
      taskId,
      generation,
      attempt,
      process: this,
      at: this.now,
      endedAt: undefined,
      starts: run.starts,
      alone: run.alone,
      isPoison: plan.killsAfterMs !== null,
      beside,
    };
    this.world.starts.push(run.started);
    const started = run.started;
    if (plan.killsAfterMs !== null) {
      this.after(plan.killsAfterMs, () => {
        if (started.endedAt === undefined) this.world.poisoned(this, queued);
      });
      return;
    }
    this.after(plan.durationMs, () => {
      if (started.endedAt !== undefined) return;
      started.endedAt = this.now;
      const current = this.runs.get(run.record.offset);
      if (current?.started === started && current.phase === 'running') this.handlerEnded(current, plan);
    });
  }

  private handlerEnded(run: Run, plan: TaskPlan): void {
    const fails = run.queued.attempt <= plan.failTimes;
    const error = { code: 'HANDLER_ERROR', message: 'as planned', retryable: plan.retryable, details: null };
    this.end(run, fails ? { kind: 'failed', error } : { kind: 'succeeded', value: 'null' });
  }

  /** Its outcome goes to the log, or waits, or is never said. */
  end(run: Run, outcome: Outcome): void {
    run.phase = 'ended';
    this.report(run, outcome);
    this.gate.open();
    this.fetch();
  }

  private report(run: Run, outcome: Outcome): void {
    const kind = outcome.kind === 'succeeded' ? 'success' : 'failure';
    const decision = decideReport(kind, run.hold, this.now);
    if (decision === 'withhold') {
      this.world.count('failure of a zombie withheld');
      this.forget(run);
      return;
    }
    if (decision === 'after-hand-over') {
      this.reportLater(run, outcome);
      return;
    }
    run.unreported = undefined;
    const context = { ...this.stamp(), durationMs: 0, resultStorage: 'inline', resultTtlMs: null } as const;
    const event = decideOutcome(run.queued, outcome, context, { random: this.world.random.next() });
    const withdraws = (): boolean => {
      if (run.phase === 'over') return true;
      if (decideReport(kind, run.hold, this.now) === 'report') return false;
      this.reportLater(run, outcome);
      return true;
    };
    this.append(run, event, () => this.accept(run), withdraws);
  }

  /** Once it is handed over, which is to be at once. */
  private reportLater(run: Run, outcome: Outcome): void {
    run.unreported = () => this.report(run, outcome);
    this.after(0, () => this.upkeep.tend(run));
  }

  /** Its settling event is on the log. */
  accept(run: Run): void {
    if (!run.isHandedOver && run.phase !== 'over') this.settle(run, 'accept');
    this.forget(run);
  }

  settle(run: Run, how: 'accept' | 'release'): void {
    const { connection, record } = run;
    this.call(
      (broker) => broker.isOpen(connection) && broker.settle(connection, record.offset, how),
      () => {},
      () => {
        if (this.membership.current?.connection === connection) this.after(200, () => this.settle(run, how));
      },
    );
  }

  forget(run: Run): void {
    run.phase = 'over';
    if (this.runs.get(run.record.offset) === run) this.runs.delete(run.record.offset);
    this.gate.open();
    this.fetch();
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private tick(): void {
    this.after(tickMs, () => this.tick());
    this.readControl(() => {});
    for (const run of [...this.runs.values()]) this.upkeep.tend(run);
    this.membership.open();
    this.fetch();
  }

  // ── session ───────────────────────────────────────────────────────────────────────────────────────────────────

  protected override connectionsClosed(): void {
    const session = this.membership.current;
    if (!session) return;
    this.world.broker.close(session.connection);
    this.after(this.world.random.between(0, 20), () => this.membership.lost(session));
  }

  private readControl(then: () => void): void {
    const from = this.controlRead;
    this.call(
      (broker) => broker.control.slice(from),
      (records) => {
        // Two questions may have been under way.
        const added = this.controlRead === from ? records : [];
        for (const { key, record } of added) applyControl(this.control, key, record);
        this.controlRead += added.length;
        then();
      },
      () => this.after(200, () => this.readControl(then)),
    );
  }

  // ── end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** SIGTERM. */
  stop(graceMs: number): void {
    if (!this.alive || this.stopping) return;
    this.stopping = true;
    for (const run of [...this.runs.values()])
      if (run.phase === 'checking' || (run.phase === 'waiting' && !run.isHandedOver)) this.giveUp(run);
    this.after(graceMs, () => {
      this.troubles.push({ what: 'stopped', from: this.now, to: Number.POSITIVE_INFINITY });
      for (const run of [...this.runs.values()]) if (run.phase !== 'ended') this.giveUp(run);
      const limit = this.now + 3_000;
      const leave = (): void => {
        if (this.outbox.isEmpty || this.now > limit) this.after(50, () => this.exit());
        else this.after(50, leave);
      };
      leave();
    });
  }

  private giveUp(run: Run): void {
    if (run.started) run.started.endedAt ??= this.now;
    const decision = decideStop({ handedOver: run.isHandedOver, held: isHeld(run.hold, this.now) });
    if (decision === 'release') this.settle(run, 'release');
    if (decision === 'give-back') this.append(run, workerStopped(run.queued, 'The worker stops', this.stamp()));
    this.forget(run);
  }
}
