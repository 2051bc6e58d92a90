import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { evolve, type TaskState } from '@taskflow/schemas/fold';
import { decideCancel } from '../cancel.ts';
import { mayBeCopy } from '../outboxRecovery.ts';
import { decideRedrive } from '../redrive.ts';
import type { Batch, ControlRecord, Outgoing } from './broker.ts';
import { Process } from './process.ts';
import type { TaskPlan } from './world.ts';

/** The api and its users: submits, schedules, cancels, redrives. */
export class Client extends Process {
  /** Acknowledged. */
  readonly accepted = new Set<string>();
  private readonly partitionOf = new Map<string, number>();
  private readonly claims = new Set<string>();
  private wishes = 0;

  submit(
    taskId: string,
    plan: TaskPlan,
    options: { partition: number; runAt: number | null; expiresAt: number | null; maxAttempts: number },
  ): void {
    const { partition, runAt } = options;
    this.partitionOf.set(taskId, partition);
    const task = {
      payload: JSON.stringify(plan),
      maxAttempts: options.maxAttempts,
      backoffBaseMs: 500,
      backoffFactor: 2,
      backoffCapMs: 5_000,
      notRetryable: [],
      timeoutMs: 600_000,
      expiresAt: options.expiresAt,
      tags: [],
      idempotencyKey: null,
      bodyHash: null,
      scheduleId: null,
    };
    const head = {
      taskId,
      generation: 0,
      attempt: 1,
      workerId: '',
      eventId: this.world.nextId(),
      userId: '00000000-0000-4000-8000-000000000001',
      type: 'noop',
      priority: 'normal',
      occurredAt: this.now,
      runId: null,
      stepId: null,
    };
    const event: TaskEvent =
      runAt === null
        ? {
            event: 'TaskQueued',
            ...head,
            task,
            failures: 0,
            recoveries: 0,
            eventsPartition: partition,
            cause: 'submit',
            check: false,
            actor: null,
            reason: null,
          }
        : { event: 'TaskScheduled', ...head, task, runAt };
    this.append({ event, partition }, () => this.accepted.add(taskId));
  }

  cancel(taskId: string): void {
    const state = this.stateOf(taskId);
    if (!state) return;
    const context = {
      now: this.now,
      eventId: this.world.nextId(),
      signalId: this.world.nextId(),
      actor: null,
      reason: 'planned',
    };
    const decision = decideCancel(state, context);
    if (decision.kind === 'refused') return;
    const { signal } = decision;
    this.append({ event: decision.event, partition: this.partitionOf.get(taskId)! }, () => {
      // The api may die before the signal.
      if (this.world.random.chance(0.1)) return;
      const send = (): void =>
        this.call(
          (broker) => void broker.control.push({ key: taskId, record: signal }),
          () => {},
          () => this.after(200, send),
        );
      this.after(this.world.random.between(0, 300), send);
    });
  }

  redrive(taskId: string): void {
    const state = this.stateOf(taskId);
    if (!state?.submission) return;
    const context = {
      now: this.now,
      eventId: this.world.nextId(),
      eventsPartition: this.partitionOf.get(taskId)!,
      check: false,
      actor: null,
      reason: null,
    };
    const decision = decideRedrive({ ...state, submission: state.submission }, context);
    if (decision.kind === 'refused') return;
    // The claim in PostgreSQL: of many who ask at once, one appends.
    const claim = `${taskId}.${decision.event.generation}`;
    if (this.claims.has(claim)) return;
    this.claims.add(claim);
    this.append({ event: decision.event, partition: context.eventsPartition }, () => {});
  }

  /** Appends a record of the queue a second time, as after a lost answer. */
  copy(queued: TaskQueued): void {
    this.append({ event: mayBeCopy(queued), partition: queued.eventsPartition }, () => {});
  }

  /** What is wanted last holds, however long an earlier wish was under way: the appender keeps their order. */
  setPaused(paused: boolean): void {
    const words = { type: 'noop', reason: null, actor: null, eventId: this.world.nextId(), occurredAt: this.now };
    const record: ControlRecord = paused ? { event: 'TypePaused', ...words } : { event: 'TypeResumed', ...words };
    const wish = ++this.wishes;
    const send = (): void =>
      this.call(
        (broker) => {
          if (wish === this.wishes) broker.control.push({ key: 'noop', record });
        },
        () => {},
        () => this.after(200, send),
      );
    send();
  }

  /** As the view shows it, which may be behind. */
  private stateOf(taskId: string): TaskState | undefined {
    const { broker, random } = this.world;
    const seen = this.now - random.skewed(1, 1_000);
    let state: TaskState | undefined;
    for (const log of [...broker.events, broker.queueAsRecorded(0)]) {
      for (const recorded of log)
        if (recorded.event.taskId === taskId && recorded.appendedAt <= seen) state = evolve(state, recorded);
    }
    return state;
  }

  /**
   * Until it is acknowledged. The appender repeats a batch under its sequence number, so that it comes once; whoever asks again by
   * another producer says `check`.
   */
  private append(outgoing: Outgoing, acknowledged: () => void, id = this.world.random.next()): void {
    const batch: Batch = { id, records: [outgoing] };
    const again = (): void => {
      if (this.world.random.chance(0.7)) this.append(outgoing, acknowledged, id);
      else this.append({ ...outgoing, event: mayBeCopy(outgoing.event) }, acknowledged);
    };
    this.call(
      (broker) => broker.append(batch),
      acknowledged,
      () => this.after(this.world.random.between(100, 2_000), again),
    );
  }
}
