import { maxResultBytes, type Outcome, placeOfResult, resultTooLarge } from '@taskflow/core/outcome';
import type { RunHold } from '@taskflow/core/runHold';
import type { Task, TaskError as TaskErrorRecord, TaskQueued } from '@taskflow/schemas/events';
import type { TaskContext, TaskLog } from '../defineTask.ts';
import type { SafeFetch } from '../safeFetch.ts';
import type { TaskBlobs } from '../taskBlobs.ts';
import { TaskError } from '../taskError.ts';
import type { LookFrom } from './eventsTail.ts';
import { failureOf } from './failure.ts';
import { readPayload, readResult } from './handlerValues.ts';
import type { Progress } from './heartbeat.ts';
import type { Owner } from './outbox.ts';
import type { AppendedAt, DeliveredRecord } from './ports.ts';
import type { QueuePartition } from './queuePartition.ts';
import type { Checking } from './recordCheck.ts';
import type { RunLog } from './taskLog.ts';
import type { TypeLane } from './typeLane.ts';

/**
 * checking: it is not known yet whether it is to run. waiting: it is to run, in its turn. running: its handler runs.
 * ended: its outcome is on its way to the log, or waits to be said. over: accepted, given back or given up; whatever still
 * comes of it is dropped.
 */
export type RunState = 'checking' | 'waiting' | 'running' | 'ended' | 'over';

/** Whether it has one of its type's slots: held by it, lent to others while it is checked, or given back. */
export type SlotPlace = 'held' | 'lent' | 'freed';

/**
 * One delivery of one attempt, from the fetch to the accepted record. It is also the context that the handler
 * gets, so that a run costs one object; what few handlers ask for is made when it is asked for.
 */
export class TaskRun implements TaskContext<unknown>, Owner {
  readonly queued: TaskQueued;
  readonly partition: QueuePartition;
  /** Replaced where the broker hands the same record out again while it runs. */
  delivered: DeliveredRecord;
  state: RunState = 'checking';
  payload: unknown;
  /** When the handler began, or when the record came where it has not yet. */
  since = performance.now();
  /** When the fetch left that brought it: a frozen process reads the answer late. */
  readonly fetchedAt: number;

  // Its place in this process.
  slot: SlotPlace = 'held';
  /** Counted by the gate. */
  isInside = false;
  /** It is to run alone in this process. */
  alone = false;
  /** How often the attempt has been started, this time included. */
  starts = 1;
  /** What is known so far of a record that may have run before; undefined for all others. */
  check: Checking | undefined;

  // Its hold, beside the record's lock. All times by `performance.now()`.
  /** When its lock was last asked to be renewed. */
  renewedAt = this.since;
  /** The broker said so when it was to be renewed. */
  lockLost = false;
  leaseUntil: number | null = null;
  overtaken = false;
  /** Its hand-over is on its way. */
  handingOver = false;
  heartbeatAt = 0;
  /** Where the log begins to tell whether somebody else has the run. */
  lookFrom: LookFrom | undefined;
  /** Says its failure, which may not be said yet. */
  unreported: (() => void) | undefined;
  /** Ids of what this process wrote about it, where it may be found when the log is looked at. */
  ownEvents: Set<string> | undefined;

  private afterHandOver: (() => void) | undefined;
  private readonly lane: TypeLane;
  private controller: AbortController | undefined;
  private closedBecause: TaskError | undefined;
  private runLog: RunLog | undefined;
  private timer: NodeJS.Timeout | undefined;
  private latestProgress: Progress | undefined;
  private progressWrittenAt = this.since;

  constructor(lane: TypeLane, partition: QueuePartition, delivered: DeliveredRecord, queued: TaskQueued) {
    this.lane = lane;
    this.partition = partition;
    this.delivered = delivered;
    this.queued = queued;
    this.fetchedAt = delivered.lockedUntil - delivered.session.lockMs;
  }

  get hold(): RunHold {
    const { lockedUntil, session } = this.delivered;
    const { leaseUntil, overtaken } = this;
    return { lockedUntil, lockLost: this.lockLost || session.lost, leaseUntil, overtaken };
  }

  get isHandedOver(): boolean {
    return this.leaseUntil !== null;
  }

  /** Calls `again` when the hand-over that is under way has ended, whichever way, unless the run is over by then. */
  onceHandedOver(again: () => void): void {
    this.afterHandOver = again;
  }

  /** Its hand-over is on the log, or is not to be. */
  handOverEnded(): void {
    this.handingOver = false;
    const again = this.afterHandOver;
    this.afterHandOver = undefined;
    if (again) queueMicrotask(() => this.state !== 'over' && again());
  }

  /** Remembers an event of this process, so that it is not taken for somebody else's word. */
  wrote(eventId: string): void {
    this.ownEvents ??= new Set();
    this.ownEvents.add(eventId);
  }

  // ── what the handler sees ──────────────────────────────────────────────────────────────────────────────────────

  get taskId(): string {
    return this.queued.taskId;
  }
  get userId(): string {
    return this.queued.userId;
  }
  get generation(): number {
    return this.queued.generation;
  }
  get attempt(): number {
    return this.queued.attempt;
  }
  get idempotencyKey(): string {
    return `${this.queued.taskId}.${this.queued.generation}`;
  }
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.closedBecause) this.controller.abort(this.closedBecause);
    }
    return this.controller.signal;
  }
  get log(): TaskLog {
    this.runLog ??= this.lane.openLog(this.queued);
    return this.runLog;
  }
  get fetch(): SafeFetch {
    return this.lane.tools.fetch;
  }
  get blobs(): TaskBlobs {
    return this.lane.tools.blobs.of(this.userId, this.signal);
  }
  get progress(): TaskContext<unknown>['progress'] {
    return (fraction, note) => {
      if (this.state !== 'running' || !Number.isFinite(fraction)) return;
      this.latestProgress = { fraction: Math.min(1, Math.max(0, fraction)), note: note?.slice(0, 200) ?? null };
      this.writeProgress(performance.now());
    };
  }

  // ── its course ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Calls the handler. */
  begin(): void {
    this.state = 'running';
    const { task } = this.queued;
    const { definition } = this.lane;
    const read = readPayload(definition, task.payload);
    if ('refused' in read) {
      this.fail(read.refused);
      return;
    }
    this.payload = read.payload;
    let returned: unknown;
    try {
      returned = definition.run(this as TaskContext<unknown> as TaskContext<never>);
    } catch (error) {
      this.threw(error);
      return;
    }
    if (!isThenable(returned)) {
      this.returned(returned);
      return;
    }
    this.startTimer(task);
    returned.then(
      (value) => this.returned(value),
      (error: unknown) => this.threw(error),
    );
  }

  /** Ends the run without calling its handler. */
  fail(error: TaskErrorRecord): void {
    this.end({ kind: 'failed', error });
  }

  /** Writes the latest progress that the handler reported, at most once a second. */
  writeProgress(now: number): void {
    if (this.latestProgress === undefined || this.state !== 'running' || now - this.progressWrittenAt < 1_000) return;
    this.lane.reportProgress(this, this.takeProgress(now)!);
  }

  /** Nothing more comes of it. A handler that still runs is told why, and given up, whatever it returns. */
  close(why?: TaskError): void {
    if (this.state === 'over') return;
    const before = this.state;
    this.state = 'over';
    this.unreported = undefined;
    if (before !== 'ended') this.clear();
    if (before !== 'running') return;
    this.closedBecause = why;
    this.controller?.abort(why);
  }

  /** What the handler last reported and was not written; it counts as written then. */
  takeProgress(now: number): Progress | undefined {
    const progress = this.latestProgress;
    this.latestProgress = undefined;
    this.progressWrittenAt = now;
    return progress;
  }

  acknowledged(_position: AppendedAt): void {
    if (this.state === 'ended') this.lane.accept(this);
  }

  /** The log cannot hold the outcome. */
  refused(error: Error): void {
    if (this.state === 'ended') this.lane.unrecordable(this, error);
  }

  withdraws(): boolean {
    return this.state === 'over' || this.lane.reports.withdraws(this);
  }

  private startTimer({ timeoutMs }: Task): void {
    this.timer = setTimeout(() => {
      if (this.state !== 'running') return;
      const error = new TaskError('TIMEOUT', `The attempt took longer than its limit of ${timeoutMs} ms`);
      this.fail(failureOf(error));
      this.controller?.abort(error);
    }, timeoutMs);
  }

  private returned(value: unknown): void {
    if (this.state !== 'running') {
      this.lane.late();
      return;
    }
    const read = readResult(this.lane.definition, value);
    if ('refused' in read) this.fail(read.refused);
    else if (read.file) this.end({ kind: 'stored', blob: read.file, figures: read.text, preview: read.preview });
    else this.place(read.text, read.preview);
  }

  /** Puts the result where one of its size belongs. */
  private place(text: string, preview: string | undefined): void {
    // Most are so short that their bytes need not be counted.
    const size = text.length * 3 <= maxResultBytes ? text.length : Buffer.byteLength(text);
    const { blobs } = this.lane.tools;
    const place = placeOfResult(size, blobs.maxBytes);
    if (place === 'event') {
      this.end({ kind: 'succeeded', value: text, preview });
    } else if (place === 'nowhere') {
      this.fail(resultTooLarge(size, blobs.maxBytes));
    } else {
      if (this.timer === undefined) this.startTimer(this.queued.task);
      blobs.storeResult(this.userId, text, this.signal).then(
        (blob) => {
          if (this.state === 'running') this.end({ kind: 'stored', blob, figures: null, preview });
          else this.lane.late();
        },
        (error: unknown) => this.threw(error),
      );
    }
  }

  private threw(error: unknown): void {
    if (this.state !== 'running') {
      this.lane.late();
      return;
    }
    if (!(error instanceof TaskError)) this.lane.logUnexpected(this, error);
    this.fail(failureOf(error));
  }

  private end(outcome: Outcome): void {
    const before = this.state;
    this.state = 'ended';
    this.clear();
    // What fails before its handler was called has taken no time.
    this.lane.end(this, outcome, before === 'running' ? performance.now() - this.since : 0);
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.runLog?.end();
    this.latestProgress = undefined;
    this.payload = undefined;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
