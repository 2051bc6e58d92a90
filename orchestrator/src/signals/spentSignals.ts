import { isSignalSpent } from '@taskflow/core/control';
import type { Appender, AppendRecord } from '@taskflow/log/appender';
import type { Cluster } from '@taskflow/log/cluster';
import type { Codec } from '@taskflow/schemas/codec';
import type { TaskCancelRequested } from '@taskflow/schemas/events';
import { hasEnded, type TaskState } from '@taskflow/schemas/fold';
import { controlTopic } from '@taskflow/schemas/topics';
import type { ControlEntry } from '@taskflow/service/controlTopic';
import type { Logger } from '@taskflow/service/logger';
import { readPositions } from '@taskflow/service/positions';
import type { Pool } from '@taskflow/service/postgres';
import { consumerName } from '../timers/foldTimers.ts';
import { clockOf } from '../timers/timerTable.ts';
import { type Lane, laneKey } from '../topics.ts';
import { markQueue, type Queue, type QueueMark } from '../watchdog/queueMark.ts';
import { readIdleTasks } from '../watchdog/unfinishedTasks.ts';

export interface SpentSignalsOptions {
  readonly cluster: Cluster;
  readonly appender: Pick<Appender, 'append'>;
  readonly codec: Codec;
  readonly pool: Pool;
  readonly logger: Logger;
  /** The lanes that are read here: whoever reads the first of a queue's lanes looks after its signals. */
  readonly lanes: () => readonly Lane[];
  readonly onRemoved?: (signals: number) => void;
}

interface Signal {
  readonly record: TaskCancelRequested;
  readonly offset: number;
  /** The records of the task that the group had not passed when it was last judged: until it has, the task need not be looked at. */
  waitsFor: readonly QueuePlace[];
}

interface QueuePlace {
  readonly partition: number;
  readonly offset: number;
}

/** Signals that were there when it was asked how far their queue is. */
interface Marked {
  readonly mark: QueueMark;
  readonly signals: readonly Signal[];
}

const askAtOnce = 1_000;
/** The name of the view's positions: the projector's. */
const viewName = 'tasks';

/**
 * Removes signals of cancelled tasks from `taskflow.control` once no worker can meet the task any more: else every worker that starts would read
 * all there ever were. Tasks are judged by the view, when it and the timers have passed what was on the log when their queue was asked.
 */
export class SpentSignals {
  readonly #options: SpentSignalsOptions;
  readonly #signals = new Map<string, Signal>();
  /** By queue; the next is asked for when one was judged. */
  readonly #marked = new Map<string, Marked>();
  /** The signals that were judged, of tasks whose tombstone has not been read yet: offsets. */
  readonly #removing = new Map<string, number>();

  constructor(options: SpentSignalsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#signals.size;
  }

  /** Takes in what the topic says, in its order. */
  apply({ key, record, offset }: ControlEntry): void {
    if (record?.event === 'TaskCancelRequested') this.#signals.set(key, { record, offset, waitsFor: [] });
    else if (record === null) this.#removed(key);
  }

  #removed(taskId: string): void {
    const last = this.#signals.get(taskId);
    const judged = this.#removing.get(taskId);
    this.#signals.delete(taskId);
    this.#removing.delete(taskId);
    if (last === undefined || judged === undefined || last.offset === judged) return;
    // The task was opened and cancelled again while the tombstone was on its way, which has removed this signal, too.
    const { codec, logger } = this.#options;
    this.#append([{ ...place, key: taskId, value: codec.encode(last.record) }]).catch((error: unknown) => {
      logger.warn('A signal was removed too early, and could not be given again', { taskId, error });
    });
  }

  /** One round: removes what is spent, and asks how far the queues are of what is left. */
  async round(): Promise<number> {
    if (this.#signals.size === 0) {
      this.#marked.clear();
      return 0;
    }
    const { pool, cluster } = this.#options;
    const [view, timers] = await Promise.all([readPositions(pool, viewName), readPositions(pool, consumerName)]);
    let removed = 0;
    for (const [key, marked] of this.#marked) {
      if (!isSeen(marked.mark, view) || !isSeen(marked.mark, timers)) continue;
      removed += await this.#judge(marked);
      this.#marked.delete(key);
    }
    const now = await clockOf(pool);
    for (const [key, signals] of this.#byQueue()) {
      if (this.#marked.has(key)) continue;
      this.#marked.set(key, { mark: await markQueue(cluster, queueOf(signals[0]!), now), signals });
    }
    return removed;
  }

  #byQueue(): Map<string, Signal[]> {
    const mine = new Set(this.#options.lanes().map(laneKey));
    const queues = new Map<string, Signal[]>();
    for (const signal of this.#signals.values()) {
      const key = laneKey({ ...queueOf(signal), eventsPartition: 0 });
      if (!mine.has(key) || this.#removing.has(signal.record.taskId)) continue;
      const ofQueue = queues.get(key);
      if (ofQueue === undefined) queues.set(key, [signal]);
      else ofQueue.push(signal);
    }
    return queues;
  }

  async #judge({ mark, signals }: Marked): Promise<number> {
    const { pool, logger, onRemoved } = this.#options;
    const spent: Signal[] = [];
    const due = signals.filter(({ waitsFor }) => waitsFor.every((place) => hasPassed(mark, place)));
    for (let from = 0; from < due.length; from += askAtOnce) {
      const some = due.slice(from, from + askAtOnce);
      const states = await readIdleTasks(
        pool,
        some.map(({ record }) => record.taskId),
      );
      const byId = new Map(states.map((state) => [state.id, state]));
      for (const signal of some) {
        const state = byId.get(signal.record.taskId);
        const isNewest = this.#signals.get(signal.record.taskId)?.offset === signal.offset;
        if (state === undefined || !isNewest || !isOver(signal.record, state)) continue;
        signal.waitsFor = recordsOf(signal.record, state).filter((place) => !hasPassed(mark, place));
        if (signal.waitsFor.length === 0) spent.push(signal);
      }
    }
    if (spent.length === 0) return 0;
    for (const { record, offset } of spent) this.#removing.set(record.taskId, offset);
    try {
      await this.#append(spent.map(({ record }) => ({ ...place, key: record.taskId, value: null })));
    } catch (error) {
      for (const { record } of spent) this.#removing.delete(record.taskId);
      throw error;
    }
    logger.info('Signals of cancelled tasks were removed', { signals: spent.length });
    onRemoved?.(spent.length);
    return spent.length;
  }

  async #append(records: readonly AppendRecord[]): Promise<void> {
    await this.#options.appender.append(records);
  }
}

const place = { topic: controlTopic, partition: 0 } as const;

function queueOf({ record: { type, priority } }: Signal): Queue {
  return { type, priority };
}

function isSeen({ ends }: QueueMark, positions: ReadonlyMap<string, number>): boolean {
  return [...ends].every(([key, end]) => (positions.get(key) ?? 0) >= end);
}

/** Whether the generation that was cancelled, by this signal or otherwise, has ended as far as the view goes. */
function isOver({ generation }: TaskCancelRequested, state: TaskState): boolean {
  return state.generation > generation || (state.generation === generation && hasEnded(state.status));
}

/** The records by which a worker may meet the task in that generation, or an older one. */
function recordsOf({ generation }: TaskCancelRequested, { history }: TaskState): QueuePlace[] {
  return history
    .filter((entry) => entry.event === 'TaskQueued' && entry.generation <= generation)
    .map(({ partition, offset }) => ({ partition, offset }));
}

/** Of a task for which nothing waits to be queued: whether the group has this record behind it. */
function hasPassed({ passed }: QueueMark, { partition, offset }: QueuePlace): boolean {
  return isSignalSpent(offset, passed[partition] ?? 0, { hasTimer: false, hasOutboxRow: false });
}
