import { expiredError } from '@taskflow/core/expiry';
import { uuidv7 } from '@taskflow/core/ids';
import { decideOutcome, type Outcome } from '@taskflow/core/outcome';
import { decideStart } from '@taskflow/core/start';
import { backoffMs } from '@taskflow/log/backoff';
import type { Logger } from '@taskflow/log/logger';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskEvent, TaskQueued } from '@taskflow/schemas/events';
import { eventsTopic, PRIORITIES, type Priority, queueTopic } from '@taskflow/schemas/topics';
import type { AnyTaskDefinition } from '../defineTask.ts';
import type { SafeFetch } from '../safeFetch.ts';
import type { BrokerClock } from './brokerClock.ts';
import { failure } from './failure.ts';
import { progressHeartbeat } from './heartbeat.ts';
import type { Outbox } from './outbox.ts';
import type { DeliveredRecord, TaskQueue } from './ports.ts';
import { readQueued } from './readQueued.ts';
import type { Slots } from './slots.ts';
import { RunLog } from './taskLog.ts';
import { TaskRun } from './taskRun.ts';
import type { TypeMetrics } from './workerMetrics.ts';

export interface TypeLaneOptions {
  readonly definition: AnyTaskDefinition;
  readonly workerId: string;
  readonly queues: Readonly<Record<Priority, TaskQueue>>;
  readonly slots: Slots;
  readonly codec: Codec;
  /** For TaskStarted, TaskHeartbeat and outcomes. */
  readonly outbox: Outbox;
  /** Where log lines of tasks go; false if it cannot take one. */
  readonly writeLogLine: ConstructorParameters<typeof RunLog>[2];
  readonly fetch: SafeFetch;
  readonly clock: BrokerClock;
  /** How long a run is presumed alive after a heartbeat. */
  readonly leaseMs: number;
  /** Asks the registry for a schema that the codec does not know and teaches it. False: nobody knows it. Rejects while the registry is away. */
  readonly learnSchema: (schemaId: number) => Promise<boolean>;
  readonly metrics: TypeMetrics;
  readonly logger: Logger;
}

const REGISTRY_BACKOFF = { baseMs: 400, capMs: 10_000 };

/** All that this process does about one task type: from delivered records to accepted ones. */
export class TypeLane {
  readonly definition: AnyTaskDefinition;
  readonly fetch: SafeFetch;
  readonly slots: Slots;
  private readonly options: TypeLaneOptions;
  /** What holds a lock: running, or its outcome not yet on the log. */
  private readonly runs = new Set<TaskRun>();
  /** The highest offset had so far, by partition. */
  private readonly highest: Readonly<Record<Priority, Map<number, number>>> = {
    high: new Map(),
    normal: new Map(),
    low: new Map(),
  };
  /** Records whose schema is being asked for. */
  private readonly undecided = new Map<DeliveredRecord, Priority>();
  private readonly priorityOf: ReadonlyMap<string, Priority>;
  private stopped = false;

  constructor(options: TypeLaneOptions) {
    this.options = options;
    this.definition = options.definition;
    this.priorityOf = new Map(PRIORITIES.map((priority) => [queueTopic(options.definition.type, priority), priority]));
    this.fetch = options.fetch;
    this.slots = options.slots;
  }

  /** Begins the runs of a fetch: their TaskStarted, and the outcomes of handlers that wait for nothing, leave in one append. */
  take(records: readonly DeliveredRecord[]): void {
    this.options.metrics.fetched(records.length);
    for (const record of records) {
      const priority = this.priorityOf.get(record.topic)!;
      if (this.resumes(priority, record)) continue;
      this.slots.begin();
      this.decide(priority, record);
    }
  }

  // ── called by runs ────────────────────────────────────────────────────────────────────────────────────────────

  openLog(queued: TaskQueued): RunLog {
    return new RunLog(queued, this.options.workerId, this.options.writeLogLine);
  }

  reportProgress({ queued }: TaskRun, { fraction, note }: { fraction: number; note: string | null }): void {
    const { workerId, leaseMs } = this.options;
    const context = { now: Date.now(), eventId: uuidv7(), workerId, leaseMs, progress: fraction, note };
    this.append(queued, progressHeartbeat(queued, context));
  }

  /** The handler has ended: its slot is free, its outcome goes to the log. */
  end(run: TaskRun, outcome: Outcome, durationMs: number): void {
    this.slots.end();
    if (outcome.kind === 'failed' && run.isZombie) {
      this.withdraw(run);
      return;
    }
    this.write(run, outcome, durationMs);
  }

  /** A zombie says nothing of its failure. */
  withdraw(run: TaskRun): void {
    this.options.metrics.zombies.inc();
    this.drop(run);
  }

  accept(run: TaskRun): void {
    this.options.queues[run.priority].accept(run.delivered);
    this.forget(run);
  }

  /** The outcome can never be on the log: as it is, or because there is no such partition. */
  unrecordable(run: TaskRun, error: Error): void {
    if (error.name === 'RecordTooLargeError') {
      this.write(run, { kind: 'failed', error: failure('RESULT_TOO_LARGE', error.message, false) }, 0);
      return;
    }
    const { topic, partition, offset } = run.delivered;
    this.options.logger.error('An outcome cannot be recorded; the record is given back', {
      error,
      topic,
      partition,
      offset,
    });
    this.options.metrics.rejected('unrecordable');
    this.options.queues[run.priority].release(run.delivered);
    this.drop(run);
  }

  late(): void {
    this.options.metrics.late.inc();
  }

  logUnexpected({ queued }: TaskRun, error: unknown): void {
    const { taskId, type, attempt } = queued;
    this.options.logger.warn('A handler threw', { taskId, type, attempt, error });
  }

  // ── called by the worker ──────────────────────────────────────────────────────────────────────────────────────

  /** Renews the locks that were not renewed for `everyMs`, and writes progress that waits. */
  tick(now: number, everyMs: number): void {
    for (const priority of PRIORITIES) {
      const due: DeliveredRecord[] = [];
      for (const run of this.runs) {
        if (run.priority !== priority) continue;
        run.writeProgress(now);
        if (now - run.renewedAt < everyMs || run.delivered.session.lost) continue;
        run.renewedAt = now;
        due.push(run.delivered);
      }
      for (const [record, of] of this.undecided)
        if (of === priority && record.lockedUntil - now < 2 * everyMs) due.push(record);
      if (due.length > 0) this.renew(priority, due);
    }
  }

  /** What still runs is told to stop and given back. Outcomes on their way stay on their way. */
  giveUp(): number {
    this.stopped = true;
    let count = 0;
    for (const run of this.runs) {
      if (run.state !== 'running') continue;
      count++;
      run.giveUp();
      this.slots.end();
      this.options.queues[run.priority].release(run.delivered);
      this.forget(run);
    }
    for (const [record, priority] of this.undecided) {
      count++;
      this.options.queues[priority].release(record);
      this.slots.end();
      this.slots.settle();
    }
    this.undecided.clear();
    return count;
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A worker that is handed what it still runs keeps running it. True also for what it has ended but not yet accepted. */
  private resumes(priority: Priority, record: DeliveredRecord): boolean {
    const highest = this.highest[priority].get(record.partition) ?? -1;
    if (record.offset > highest) this.highest[priority].set(record.partition, record.offset);
    // First deliveries only ascend.
    if (record.delivery === 1 && record.offset > highest) return false;
    for (const run of this.runs) {
      const { delivered } = run;
      if (run.priority !== priority || delivered.offset !== record.offset || delivered.partition !== record.partition)
        continue;
      run.delivered = record;
      run.renewedAt = performance.now();
      run.lockLost = false;
      return true;
    }
    return false;
  }

  private decide(priority: Priority, record: DeliveredRecord): void {
    const reading = readQueued(this.options.codec, record, this.definition.type, priority);
    if ('unknownSchema' in reading) void this.decideLater(priority, record, reading.unknownSchema);
    else if ('reject' in reading) this.reject(priority, record, reading.reject, reading.error);
    // PROTOCOL.md, "A record that may have run before": here `core` is to decide from what the events partition says
    // whether to accept it without a run, to hand it over in its starter's name, or to run it. Until then it runs.
    else this.start(priority, record, reading.queued);
  }

  private start(priority: Priority, record: DeliveredRecord, queued: TaskQueued): void {
    const { workerId, leaseMs, clock } = this.options;
    const run = new TaskRun(this, priority, record, queued);
    this.runs.add(run);
    if (queued.attempt === 1 && record.delivery === 1) {
      clock.saw(record.appendedAt);
      const expired = expiredError(queued.task, clock.now());
      if (expired) {
        run.fail(expired);
        return;
      }
    }
    // Handlers of first deliveries start at once: TaskStarted precedes their outcome on the log all the same. What may have
    // run before must wait for its acknowledgement, so that starts are counted; that comes with the check above.
    this.append(
      queued,
      decideStart(queued, {
        now: Date.now(),
        eventId: uuidv7(),
        workerId,
        delivery: record.delivery,
        starts: 1,
        leaseMs,
        queuePartition: record.partition,
        queueOffset: record.offset,
      }),
    );
    run.begin();
  }

  /** The writer used a schema that is newer than this process: it is learned first, while the record stays locked. */
  private async decideLater(priority: Priority, record: DeliveredRecord, schemaId: number): Promise<void> {
    this.undecided.set(record, priority);
    for (let attempt = 1; !this.stopped; attempt++) {
      try {
        const known = await this.options.learnSchema(schemaId);
        this.undecided.delete(record);
        if (known) this.decide(priority, record);
        else this.reject(priority, record, 'unknown-schema', new Error(`No registry knows schema ${schemaId}`));
        return;
      } catch (error) {
        this.options.logger.warn('The registry cannot be asked for a schema; trying again', { schemaId, error });
        await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, REGISTRY_BACKOFF)).unref());
      }
    }
  }

  /** A record that nobody can process. The projector parks it in taskflow.poison. */
  private reject(priority: Priority, record: DeliveredRecord, reason: string, error: unknown): void {
    const { topic, partition, offset } = record;
    this.options.logger.error('A record of the queue is rejected', { topic, partition, offset, reason, error });
    this.options.metrics.rejected(reason);
    this.options.queues[priority].reject(record);
    this.slots.end();
    this.slots.settle();
  }

  private write(run: TaskRun, outcome: Outcome, durationMs: number): void {
    const { queued } = run;
    const event = decideOutcome(queued, outcome, {
      now: Date.now(),
      eventId: uuidv7(),
      workerId: this.options.workerId,
      durationMs: Math.round(durationMs),
      resultStorage: this.definition.inline ? 'inline' : 'mongo',
      resultTtlMs: null,
    });
    this.options.metrics.ended(event, durationMs);
    this.append(queued, event, run);
  }

  private append(queued: TaskQueued, event: TaskEvent, owner?: TaskRun): void {
    const { type, priority, eventsPartition, taskId } = queued;
    let value: Buffer;
    try {
      value = this.options.codec.encode(event);
    } catch (error) {
      // A fault of this program: the process and the other tasks go on.
      this.options.logger.error('An event cannot be encoded', { event: event.event, taskId, error });
      if (owner) this.unrecordable(owner, error as Error);
      return;
    }
    this.options.outbox.push(
      { topic: eventsTopic(type, priority), partition: eventsPartition, key: taskId, value },
      owner,
    );
  }

  private renew(priority: Priority, records: readonly DeliveredRecord[]): void {
    this.options.queues[priority].renew(records).then(
      ({ lost }) => {
        for (const record of lost) for (const run of this.runs) if (run.delivered === record) run.lockLost = true;
        if (lost.length > 0) this.options.metrics.locksLost.inc(lost.length);
      },
      (error: unknown) => this.options.logger.debug('Locks could not be renewed', { error }),
    );
  }

  private drop(run: TaskRun): void {
    run.giveUp();
    this.forget(run);
  }

  private forget(run: TaskRun): void {
    if (this.runs.delete(run)) this.slots.settle();
  }
}
