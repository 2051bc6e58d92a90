import type { Outcome } from '@taskflow/core/outcome';
import type { Task, TaskError as TaskErrorRecord, TaskQueued } from '@taskflow/schemas/events';
import type { Priority } from '@taskflow/schemas/topics';
import type { TaskContext, TaskLog } from '../defineTask.ts';
import type { SafeFetch } from '../safeFetch.ts';
import { TaskError } from '../taskError.ts';
import { cleanJson, jsonDepth } from './cleanJson.ts';
import { failure, failureOf, refusal } from './failure.ts';
import type { Owner } from './outbox.ts';
import type { DeliveredRecord } from './ports.ts';
import type { RunLog } from './taskLog.ts';
import type { TypeLane } from './typeLane.ts';

/** Results that nest deeper are refused by document stores. */
const MAX_RESULT_DEPTH = 64;
const PREVIEW_CHARACTERS = 200;

/**
 * running: its handler runs. ended: its outcome is on its way to the log, the record is still locked.
 * over: accepted, or given up; whatever still comes of it is dropped.
 */
type State = 'running' | 'ended' | 'over';

/**
 * One delivery of one attempt, from the handler's start to the accepted record. It is also the context that the handler
 * gets, so that a run costs one object; what few handlers ask for is made when it is asked for.
 */
export class TaskRun implements TaskContext<unknown>, Owner {
  readonly queued: TaskQueued;
  readonly priority: Priority;
  /** Replaced where the broker hands the same record out again while it runs. */
  delivered: DeliveredRecord;
  state: State = 'running';
  payload: unknown;
  readonly startedAt = performance.now();
  /** When its lock was last asked to be renewed. */
  renewedAt = this.startedAt;
  /** The broker said so when it was to be renewed. */
  lockLost = false;
  /** The outcome that is on its way is a failure. */
  private failed = false;
  private readonly lane: TypeLane;
  private controller: AbortController | undefined;
  private runLog: RunLog | undefined;
  private timer: NodeJS.Timeout | undefined;
  private latestProgress: { fraction: number; note: string | null } | undefined;
  private progressWrittenAt = this.startedAt;

  constructor(lane: TypeLane, priority: Priority, delivered: DeliveredRecord, queued: TaskQueued) {
    this.lane = lane;
    this.priority = priority;
    this.delivered = delivered;
    this.queued = queued;
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
    this.controller ??= new AbortController();
    return this.controller.signal;
  }
  get log(): TaskLog {
    this.runLog ??= this.lane.openLog(this.queued);
    return this.runLog;
  }
  get fetch(): SafeFetch {
    return this.lane.fetch;
  }
  get progress(): TaskContext<unknown>['progress'] {
    return (fraction, note) => {
      if (this.state !== 'running' || !Number.isFinite(fraction)) return;
      this.latestProgress = { fraction: Math.min(1, Math.max(0, fraction)), note: note?.slice(0, 200) ?? null };
      this.writeProgress(performance.now());
    };
  }

  // ── its course ────────────────────────────────────────────────────────────────────────────────────────────────

  begin(): void {
    const { task } = this.queued;
    const { definition } = this.lane;
    let returned: unknown;
    try {
      const parsed = definition.payload.safeParse(JSON.parse(task.payload));
      if (!parsed.success) {
        this.fail(refusal('PAYLOAD_INVALID', parsed.error));
        return;
      }
      this.payload = parsed.data;
    } catch {
      this.fail(failure('PAYLOAD_INVALID', 'The payload is not JSON', false));
      return;
    }
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
    this.progressWrittenAt = now;
    this.lane.reportProgress(this, this.latestProgress);
    this.latestProgress = undefined;
  }

  /** The worker stops: the handler is told and given up, whatever it still returns. */
  giveUp(): void {
    if (this.state === 'over') return;
    const running = this.state === 'running';
    this.state = 'over';
    this.clear();
    if (running) this.controller?.abort(new TaskError('WORKER_STOPPED', 'The worker stops'));
  }

  acknowledged(): void {
    if (this.state !== 'ended') return;
    this.state = 'over';
    this.lane.accept(this);
  }

  /** The log cannot hold the outcome. */
  refused(error: Error): void {
    if (this.state === 'ended') this.lane.unrecordable(this, error);
  }

  /**
   * A zombie, whose lock may have passed, so that someone else may run the same by now: it may still report success, but
   * no failure. The record is handed out again.
   */
  get isZombie(): boolean {
    const { session, lockedUntil } = this.delivered;
    return this.lockLost || session.lost || lockedUntil < performance.now();
  }

  withdraws(): boolean {
    if (this.state === 'over') return true;
    if (!this.failed || !this.isZombie) return false;
    this.lane.withdraw(this);
    return true;
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
    const { definition } = this.lane;
    try {
      const parsed = definition.result.safeParse(value);
      if (!parsed.success) {
        this.fail(refusal('RESULT_INVALID', parsed.error));
        return;
      }
      const text = cleanJson(parsed.data);
      if (text.length > 2 * MAX_RESULT_DEPTH && jsonDepth(text) > MAX_RESULT_DEPTH) {
        const message = `The result nests deeper than ${MAX_RESULT_DEPTH} levels`;
        this.fail(failure('RESULT_INVALID', message, false));
        return;
      }
      const preview = definition.preview?.(parsed.data as never)?.slice(0, PREVIEW_CHARACTERS);
      this.end({ kind: 'succeeded', value: text, preview });
    } catch (error) {
      // Circular, a BigInt, a getter or a preview that throws.
      const message = `The result cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`;
      this.fail(failure('RESULT_INVALID', message.slice(0, 500), false));
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
    this.state = 'ended';
    this.failed = outcome.kind === 'failed';
    this.clear();
    this.lane.end(this, outcome, performance.now() - this.startedAt);
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
