import type { ControlState } from '@taskflow/core/control';
import { isCancelled } from '@taskflow/core/control';
import type { EventStamp } from '@taskflow/core/eventHead';
import { uuidv7 } from '@taskflow/core/ids';
import type { Outcome } from '@taskflow/core/outcome';
import type { ProtocolValues } from '@taskflow/core/protocolValues';
import type { Logger } from '@taskflow/log/logger';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { eventsTopic, PRIORITIES, type Priority, queueTopic } from '@taskflow/schemas/topics';
import type { AnyTaskDefinition } from '../defineTask.ts';
import { TaskError } from '../taskError.ts';
import type { BrokerClock } from './brokerClock.ts';
import { EventsTail, type LookFrom, type Seen } from './eventsTail.ts';
import { failure } from './failure.ts';
import type { Gate } from './gate.ts';
import type { HandlerTools } from './handlerTools.ts';
import { heartbeat, type Progress } from './heartbeat.ts';
import { Intake } from './intake.ts';
import type { Lead } from './lead.ts';
import { Leases } from './leases.ts';
import { LentSlots } from './lentSlots.ts';
import type { Outbox, Owner } from './outbox.ts';
import type { DeliveredRecord, QueueFacts, QueueSession, TaskQueue } from './ports.ts';
import { type PriorityQueue, QueuePartition } from './queuePartition.ts';
import { RecordCheck } from './recordCheck.ts';
import { Reports } from './reports.ts';
import { Returns } from './returns.ts';
import type { Slots } from './slots.ts';
import { RunLog } from './taskLog.ts';
import type { TaskRun } from './taskRun.ts';
import type { TypeMetrics } from './workerMetrics.ts';

export interface TypeLaneOptions {
  readonly definition: AnyTaskDefinition;
  readonly workerId: string;
  readonly queues: Readonly<Record<Priority, TaskQueue>>;
  readonly facts: Readonly<Record<Priority, QueueFacts>>;
  readonly slots: Slots;
  readonly lead: Lead;
  readonly gate: Gate;
  readonly codec: Codec;
  /** For TaskStarted, TaskHeartbeat and outcomes. */
  readonly outbox: Outbox;
  /** Where log lines of tasks go; false if it cannot take one. */
  readonly writeLogLine: ConstructorParameters<typeof RunLog>[2];
  readonly tools: HandlerTools;
  readonly clock: BrokerClock;
  readonly control: ControlState;
  readonly values: ProtocolValues;
  /** Asks the registry for a schema that the codec does not know and teaches it. False: nobody knows it. Rejects while the registry is away. */
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  readonly metrics: TypeMetrics;
  readonly logger: Logger;
}

/**
 * All that this process does about one task type, from delivered records to accepted ones: the runs there are, and what the
 * parts have in common that each see to one thing about them.
 */
export class TypeLane {
  readonly definition: AnyTaskDefinition;
  readonly workerId: string;
  readonly slots: Slots;
  readonly lent: LentSlots;
  readonly gate: Gate;
  readonly codec: Codec;
  readonly tools: HandlerTools;
  readonly clock: BrokerClock;
  readonly control: ControlState;
  readonly values: ProtocolValues;
  readonly learnSchema: TypeLaneOptions['learnSchema'];
  readonly metrics: TypeMetrics;
  readonly logger: Logger;
  readonly intake = new Intake(this);
  readonly check = new RecordCheck(this);
  readonly leases = new Leases(this);
  readonly reports = new Reports(this);
  readonly returns = new Returns(this);
  private readonly outbox: Outbox;
  private readonly writeLogLine: TypeLaneOptions['writeLogLine'];
  private readonly queues: ReadonlyMap<string, PriorityQueue>;
  private readonly partitions = new Map<string, QueuePartition[]>();
  private readonly tails = new Map<string, EventsTail>();

  constructor(options: TypeLaneOptions) {
    const { definition, queues, facts } = options;
    this.definition = definition;
    this.workerId = options.workerId;
    this.slots = options.slots;
    this.gate = options.gate;
    this.codec = options.codec;
    this.tools = options.tools;
    this.clock = options.clock;
    this.control = options.control;
    this.values = options.values;
    this.learnSchema = options.learnSchema;
    this.metrics = options.metrics;
    this.logger = options.logger;
    this.outbox = options.outbox;
    this.writeLogLine = options.writeLogLine;
    this.queues = new Map(
      PRIORITIES.map((priority) => [
        queueTopic(definition.type, priority),
        { priority, queue: queues[priority], facts: facts[priority] },
      ]),
    );
    this.lent = new LentSlots(this.slots, () =>
      Math.min(this.slots.size, options.lead.freedWithin(this.values.lookAgainMs)),
    );
    this.slots.onFreed(() => {
      this.lent.giveBack();
      this.intake.takeFromHand();
    });
  }

  // ── called by the worker ──────────────────────────────────────────────────────────────────────────────────────

  take(records: readonly DeliveredRecord[]): void {
    this.intake.take(records);
  }

  /** Renews locks, keeps up leases, hands over, gives back what stays undecided. */
  tick(now: number): void {
    for (const ofTopic of this.partitions.values()) for (const partition of ofTopic) partition?.noteEmptyAnswer();
    this.leases.tick(now);
    this.returns.releaseFromHand(now);
    this.returns.releaseUndecided(now);
  }

  /** What was delivered on it is free for others: what runs is handed over at once, so that they see that it lives. */
  sessionLost(session: QueueSession): void {
    this.intake.hand.drop(session);
    for (const run of this.runs()) if (run.delivered.session === session) this.leases.upkeep(run);
  }

  /** Drops what was cancelled meanwhile: its end is on the log. */
  controlChanged(): void {
    for (const run of this.runs()) {
      if (!isCancelled(this.control, run.queued)) continue;
      if (run.state === 'ended' && run.unreported === undefined) continue; // on its way: the fold passes over it
      this.metrics.cancelled.inc();
      this.accept(run, new TaskError('CANCELLED', 'The task was cancelled'));
    }
  }

  /** Records and runs that wait for no more than a slot. */
  get inHand(): number {
    return this.intake.hand.size + this.lent.waitingCount;
  }

  /** All runs of this moment. */
  *runs(): Generator<TaskRun> {
    for (const ofTopic of this.partitions.values())
      for (const partition of ofTopic) if (partition) yield* partition.runs.values();
  }

  // ── called by runs ────────────────────────────────────────────────────────────────────────────────────────────

  openLog(queued: TaskQueued): RunLog {
    return new RunLog(queued, this.workerId, this.writeLogLine);
  }

  reportProgress(run: TaskRun, progress: Progress): void {
    this.append(run, heartbeat(run.queued, this.stamp(), this.values.leaseMs, progress));
  }

  /** The handler has ended: its slot is free, its outcome goes to the log. */
  end(run: TaskRun, outcome: Outcome, durationMs: number): void {
    this.freeSlot(run);
    this.reports.report(run, outcome, durationMs);
  }

  late(): void {
    this.metrics.late.inc();
  }

  logUnexpected({ queued }: TaskRun, error: unknown): void {
    const { taskId, type, attempt } = queued;
    this.logger.warn('A handler threw', { taskId, type, attempt, error });
  }

  // ── called by the parts ───────────────────────────────────────────────────────────────────────────────────────

  partitionOf({ topic, partition }: DeliveredRecord): QueuePartition {
    let ofTopic = this.partitions.get(topic);
    if (ofTopic === undefined) {
      ofTopic = [];
      this.partitions.set(topic, ofTopic);
    }
    ofTopic[partition] ??= new QueuePartition(this.queues.get(topic)!, partition);
    return ofTopic[partition];
  }

  stamp(workerId = this.workerId): EventStamp {
    const now = Date.now();
    return { now, eventId: uuidv7(now), workerId };
  }

  append(run: TaskRun, event: TaskEvent, owner?: Owner): void {
    const { type, priority, eventsPartition, taskId } = run.queued;
    let value: Buffer;
    try {
      value = this.codec.encode(event);
    } catch (error) {
      // A fault of this program: the process and the other tasks go on.
      this.logger.error('An event cannot be encoded', { event: event.event, taskId, error });
      owner?.refused(error as Error);
      return;
    }
    this.outbox.push({ topic: eventsTopic(type, priority), partition: eventsPartition, key: taskId, value }, owner);
  }

  /** What the log says of a run's task. Is never answered for a run that is over. */
  look(run: TaskRun, from: LookFrom, to?: number): Promise<Seen> {
    const { taskId, eventsPartition } = run.queued;
    const { priority, facts } = run.partition.of;
    const key = `${priority}/${eventsPartition}`;
    let tail = this.tails.get(key);
    if (tail === undefined) {
      const { codec, learnSchema, logger } = this;
      tail = new EventsTail({ facts, eventsPartition, codec, learnSchema, logger });
      this.tails.set(key, tail);
    }
    const isObsolete = () => run.state === 'over';
    return tail.look(to === undefined ? { taskId, from, isObsolete } : { taskId, from, to, isObsolete });
  }

  /** Its settling event is on the log. A handler that still runs is told why it is in vain. */
  accept(run: TaskRun, why?: TaskError): void {
    if (!run.isHandedOver) this.settle(run);
    this.forget(run, why);
  }

  /** Accepts its record, whatever goes on. */
  settle(run: TaskRun): void {
    run.partition.of.queue.accept(run.delivered);
  }

  /** Nothing more is done about it. Where its record is not settled it comes again, to whomever, when the lock ends. */
  forget(run: TaskRun, why?: TaskError): void {
    if (run.state === 'over') return;
    run.close(why);
    const { runs } = run.partition;
    if (runs.get(run.delivered.offset) === run) runs.delete(run.delivered.offset);
    this.freeSlot(run);
    this.slots.settle();
  }

  /** An event of a run can never be on the log: as it is, or because there is no such partition. */
  unrecordable(run: TaskRun, error: Error): void {
    if (error.name === 'RecordTooLargeError' && run.state === 'ended') {
      this.reports.report(run, { kind: 'failed', error: failure('RESULT_TOO_LARGE', error.message, false) }, 0);
      return;
    }
    this.metrics.rejected('unrecordable');
    this.failed('The record of an outcome', run, error);
  }

  /** Something about a run went wrong that nobody expected: its record is given back for others. */
  failed(what: string, run: TaskRun, error: unknown): void {
    const { topic, partition, offset } = run.delivered;
    this.logger.error(`${what} failed; the record is given back`, { error, topic, partition, offset });
    if (run.state !== 'over') this.returns.giveUp(run);
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────

  private freeSlot(run: TaskRun): void {
    const before = run.slot;
    run.slot = 'freed';
    if (before === 'lent') this.lent.drop(run);
    if (before !== 'held') return;
    this.slots.end();
    this.gate.leave(run);
  }
}
