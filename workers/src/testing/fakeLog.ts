import { createCodec } from '@taskflow/schemas/codec';
import {
  type RecordName,
  recordNames,
  type TaskEvent,
  type TaskflowRecord,
  type TaskQueued,
} from '@taskflow/schemas/events';
import { someTask } from '@taskflow/schemas/testing/taskEvents';
import { type Priority, queueTopic } from '@taskflow/schemas/topics';
import type { WorkerQueue } from '../runtime/health.ts';
import type {
  DeliveredRecord,
  EventRecord,
  LogAppender,
  OutgoingRecord,
  QueueFacts,
  QueueSession,
  QueueSet,
} from '../runtime/ports.ts';

/** A codec with ids of its own: for tests that need no registry. */
export const testCodec = createCodec(new Map<RecordName, number>(recordNames.map((name, index) => [name, index + 1])));

/** A task as it lies in the queue; give what matters to the test. */
export function queued(
  fields: Partial<Omit<TaskQueued, 'event' | 'task'>> & { task?: Partial<TaskQueued['task']> } = {},
): TaskQueued {
  const { task, ...head } = fields;
  return {
    event: 'TaskQueued',
    taskId: '01890000-0000-7000-8000-000000000001',
    generation: 0,
    attempt: 1,
    workerId: '',
    eventId: '01890000-0000-7000-8000-00000000ffff',
    userId: '00000000-0000-4000-8000-000000000001',
    type: 'sample',
    priority: 'normal',
    occurredAt: 1_700_000_000_000,
    runId: null,
    stepId: null,
    failures: 0,
    recoveries: 0,
    eventsPartition: 0,
    cause: 'submit',
    check: false,
    actor: null,
    reason: null,
    ...head,
    task: { ...someTask, payload: '{}', ...task },
  };
}

/** What the fakes stamp records with. */
const APPENDED_AT = 1_700_000_000_000;

export interface FakeSession extends QueueSession {
  lost: boolean;
  leaderEpoch: number;
  shownEmptyAt: number | undefined;
}

export function fakeSession(): FakeSession {
  return { lost: false, leaderEpoch: 0, openedAt: performance.now(), lockMs: 15_000, shownEmptyAt: undefined };
}

/** A queue as a plain object: what is put in is delivered in order, and what becomes of it is written down. */
export class FakeQueue implements WorkerQueue {
  readonly topic: string;
  readonly accepted: number[] = [];
  readonly released: number[] = [];
  readonly rejected: number[] = [];
  readonly renewed: number[] = [];
  /** Records to be reported lost at the next renewal. */
  readonly lost = new Set<number>();
  readonly waiting: DeliveredRecord[] = [];
  /** Called when there is something to fetch. */
  wake: (() => void) | undefined;
  session = fakeSession();
  private nextOffset = 0;

  constructor(type = 'sample', priority: Priority = 'normal') {
    this.topic = queueTopic(type, priority);
  }

  put(...values: (TaskQueued | Buffer)[]): void {
    for (const value of values)
      this.deliver(Buffer.isBuffer(value) ? value : testCodec.encode(value), this.nextOffset++, 1);
  }

  deliver(value: Buffer | null, offset: number, delivery: number, more: Partial<DeliveredRecord> = {}): void {
    this.waiting.push({
      topic: this.topic,
      partition: 0,
      offset,
      value,
      appendedAt: APPENDED_AT,
      leaderEpoch: 0,
      delivery,
      lockedUntil: performance.now() + 15_000,
      session: this.session,
      ...more,
    });
    this.wake?.();
  }

  accept(record: DeliveredRecord): void {
    this.accepted.push(record.offset);
  }
  release(record: DeliveredRecord): void {
    this.released.push(record.offset);
  }
  reject(record: DeliveredRecord): void {
    this.rejected.push(record.offset);
  }
  async renew(records: readonly DeliveredRecord[]) {
    this.renewed.push(...records.map(({ offset }) => offset));
    const lost = records.filter(({ offset }) => this.lost.has(offset));
    for (const record of records) {
      if (!lost.includes(record)) (record as { lockedUntil: number }).lockedUntil = performance.now() + 15_000;
    }
    return { lost };
  }
  health() {
    return { assignedPartitions: 1, openSessions: 1, sinceFetchMs: 0, lastError: undefined };
  }
}

/** The queues of a type, asked in order. */
export class FakeQueueSet implements QueueSet {
  /** Every fetch that was answered. */
  readonly asked: { maxRecords: number; given: number }[] = [];
  /** What the next fetch meets instead of records. */
  failNext: Error | undefined;
  private readonly queues: Readonly<Record<Priority, FakeQueue>>;

  constructor(queues: Readonly<Record<Priority, FakeQueue>>) {
    this.queues = queues;
  }

  slotsFreed(): void {}

  async fetch({ maxRecords, order, signal }: Parameters<QueueSet['fetch']>[0]): Promise<DeliveredRecord[]> {
    const ready = () => order.map((priority) => this.queues[priority]).find(({ waiting }) => waiting.length > 0);
    await Promise.resolve();
    while (!ready() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        for (const priority of order) this.queues[priority].wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (this.failNext) {
      const error = this.failNext;
      this.failNext = undefined;
      throw error;
    }
    const given = signal.aborted ? [] : (ready()?.waiting.splice(0, maxRecords) ?? []);
    this.asked.push({ maxRecords, given: given.length });
    return given;
  }
}

/** Appender and reader of a log that is a plain object: what was taken lies in `events`. `fail` decides what the next append meets. */
export class FakeLog implements LogAppender, QueueFacts {
  readonly events: TaskflowRecord[] = [];
  readonly appends: OutgoingRecord[][] = [];
  fail: ((records: readonly OutgoingRecord[]) => Error | undefined) | undefined;
  /** What `scanEvents` was asked for. */
  readonly scans: ({ offset: number } | { time: number })[] = [];
  start: number | undefined = 0;
  private readonly records: EventRecord[] = [];
  private readonly waiters: { holds: (events: readonly TaskflowRecord[]) => boolean; resolve: () => void }[] = [];

  async append(records: readonly OutgoingRecord[]) {
    const error = this.fail?.(records);
    if (error) throw error;
    return this.take(records);
  }

  /** Puts records on the log, also for an append that fails in part. */
  take(records: readonly OutgoingRecord[]) {
    this.appends.push([...records]);
    const first = this.records.length;
    for (const { key, value } of records) {
      this.records.push({ offset: this.records.length, key: Buffer.from(key), value, appendedAt: APPENDED_AT });
      this.events.push(testCodec.decode(value));
    }
    for (const waiter of [...this.waiters]) {
      if (!waiter.holds(this.events)) continue;
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      waiter.resolve();
    }
    return records.map((_, i) => ({ offset: first + i, appendedAt: APPENDED_AT }));
  }

  /** What another process appends. */
  write(...events: TaskEvent[]): void {
    this.take(events.map((event) => ({ topic: '', partition: 0, key: event.taskId, value: testCodec.encode(event) })));
  }

  async groupStart() {
    return this.start;
  }
  async eventsEnds() {
    return [this.records.length];
  }
  async lastEventOfOldLeader() {
    return undefined;
  }
  async scanEvents(
    _partition: number,
    from: { offset: number } | { time: number },
    onRecords: (records: readonly EventRecord[]) => void,
  ) {
    this.scans.push(from);
    await Promise.resolve();
    onRecords(this.records.slice('offset' in from ? from.offset : 0));
    return { end: this.records.length };
  }

  /** Resolves once the log holds what is waited for. */
  async until(holds: (events: readonly TaskflowRecord[]) => boolean): Promise<void> {
    if (holds(this.events)) return;
    await new Promise<void>((resolve) => this.waiters.push({ holds, resolve }));
  }

  /** Names of the events so far, with the error's code where there is one. */
  get names(): string[] {
    return this.events.map((event) => (event.event === 'TaskFailed' ? `TaskFailed ${event.error.code}` : event.event));
  }
}
