import type { ProtocolValues } from '@taskflow/core/protocolValues';
import { protocolDefaults } from '@taskflow/core/protocolValues';
import { isForgotten } from '@taskflow/core/watchdog';
import type { Cluster } from '@taskflow/log/cluster';
import { hasEnded, type TaskState, type TaskStatus } from '@taskflow/schemas/fold';
import type { Logger } from '@taskflow/service/logger';
import { readPositions } from '@taskflow/service/positions';
import type { OutboxRow } from '../outbox/outboxTable.ts';
import { consumerName } from '../timers/foldTimers.ts';
import { LaneEnds } from '../timers/laneEnds.ts';
import { clockOf } from '../timers/timerTable.ts';
import { type Lane, laneKey } from '../topics.ts';
import { type ForgottenTask, recollect } from './forgottenTask.ts';
import { markQueue, type Queue, type QueueMark } from './queueMark.ts';
import { type RecoverPorts, recoverTasks } from './recoverTasks.ts';
import { beginning, type Cursor, readIdleTasks, type ScannedTask, scanTasks } from './unfinishedTasks.ts';

export interface WatchdogOptions extends RecoverPorts {
  readonly cluster: Cluster;
  readonly values: Pick<ProtocolValues, 'maxRecoveries' | 'watchdogAfterMs'>;
  readonly logger: Logger;
  readonly queues: () => readonly Queue[];
  /** The lanes that are read here: tasks of others are left to others. */
  readonly lanes: () => readonly Lane[];
  /** Before a row is written of a task that had none. */
  readonly onRecovering: (tasks: readonly ForgottenTask[]) => void;
  readonly onRecovered: (rows: readonly OutboxRow[]) => void;
}

/** Tasks looked at of each status in one round; the next goes on behind them. */
const scanLimit = 5_000;
/** The name of the view's positions: the projector's. */
const viewName = 'tasks';

/** A task that is one of these has a record in the queue, a worker or a timer. */
const watchedStatuses: readonly TaskStatus[] = ['queued', 'running', 'retrying'];

/**
 * Looks for tasks that nobody has any more: not ended, nothing due, nothing on its way to the log, and their record settled in the
 * queue a minute ago. In a healthy system it finds none.
 *
 * It goes by the view `tasks`, whose index holds what has not succeeded: so it costs nothing for each task that runs well. Of what is unfinished it
 * looks at what was submitted before the oldest record that still waits.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #marks: QueueMark[] = [];
  readonly #cursors = new Map<TaskStatus, Cursor>();

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** One round: notes how far the queues are now, and looks through what they had passed a minute ago. */
  async round(): Promise<number> {
    const { pool, cluster, queues, values } = this.#options;
    const now = await clockOf(pool);
    const newest = new Map<string, QueueMark>();
    for (const mark of this.#marks) if (now - mark.askedAt >= values.watchdogAfterMs) newest.set(keyOf(mark), mark);
    const recovered = newest.size > 0 ? await this.#look(newest, now) : 0;
    this.#marks = this.#marks.filter((mark) => mark.askedAt >= (newest.get(keyOf(mark))?.askedAt ?? 0));
    for (const queue of queues()) this.#marks.push(await markQueue(cluster, queue, now));
    return recovered;
  }

  async #look(marks: ReadonlyMap<string, QueueMark>, now: number): Promise<number> {
    const { pool } = this.#options;
    const [view, timers] = await Promise.all([readPositions(pool, viewName), readPositions(pool, consumerName)]);
    const seen = new Map([...marks].filter(([, { ends }]) => isSeen(ends, view) && isSeen(ends, timers)));
    if (seen.size === 0) return 0;
    const forgotten: TaskState[] = [];
    for (const status of watchedStatuses) {
      const scanned = await this.#scan(status, seen);
      for (const state of await readIdleTasks(pool, scanned)) {
        const mark = seen.get(keyOf(state));
        if (mark !== undefined && this.#isForgotten(state, mark, now)) forgotten.push(state);
      }
    }
    return forgotten.length === 0 ? 0 : this.#recover(forgotten, now);
  }

  /** The next unfinished tasks that may have been passed. */
  async #scan(status: TaskStatus, marks: ReadonlyMap<string, QueueMark>): Promise<string[]> {
    const upTo = (mark: QueueMark) => mark.submittedUpTo + protocolDefaults.brokerClockSkewMs;
    const latest = Math.max(...[...marks.values()].map(upTo));
    const cursor = this.#cursors.get(status) ?? beginning;
    const scanned = await scanTasks(this.#options.pool, status, cursor, latest, scanLimit);
    const last: ScannedTask | undefined = scanned.length < scanLimit ? undefined : scanned.at(-1);
    this.#cursors.set(status, last ?? beginning);
    return scanned
      .filter((task) => {
        const mark = marks.get(keyOf(task));
        return mark !== undefined && task.createdAt <= upTo(mark);
      })
      .map(({ id }) => id);
  }

  #isForgotten(state: TaskState, mark: QueueMark, now: number): boolean {
    if (state.queue === null) return false;
    return isForgotten(
      { ended: hasEnded(state.status), hasTimer: false, hasOutboxRow: false, queueOffset: state.queue.offset },
      {
        passed: mark.passed[state.queue.partition] ?? 0,
        passedAskedAt: mark.askedAt,
        seenUpTo: mark.askedAt,
        now,
      },
      this.#options.values,
    );
  }

  async #recover(states: readonly TaskState[], now: number): Promise<number> {
    const { cluster, lanes, logger, onRecovering, onRecovered } = this.#options;
    const mine = new Map(lanes().map((lane) => [laneKey(lane), lane]));
    const byLane = new Map<Lane, ForgottenTask[]>();
    for (const state of states) {
      const found = await recollect(this.#options, state);
      const lane = found && mine.get(laneKey({ ...state, eventsPartition: found.eventsPartition }));
      if (found === undefined || lane === undefined) continue;
      byLane.set(lane, [...(byLane.get(lane) ?? []), found]);
    }
    let recovered = 0;
    const ends = new LaneEnds(cluster);
    await ends.ask(
      [...byLane.keys()].map((lane) => ({ lane, dueAt: now })),
      now,
    );
    for (const [lane, tasks] of byLane) {
      onRecovering(tasks);
      const rows = await recoverTasks(this.#options, tasks, ends.get(lane)!);
      recovered += rows.length;
      for (const { event } of rows) {
        const { taskId, type, generation, attempt } = event;
        logger.error('The watchdog found a task that nobody had', {
          taskId,
          type,
          generation,
          attempt,
          does: event.event,
        });
      }
      onRecovered(rows);
    }
    return recovered;
  }
}

function keyOf({ type, priority }: Queue): string {
  return `${type}.${priority}`;
}

function isSeen(ends: ReadonlyMap<string, number>, positions: ReadonlyMap<string, number>): boolean {
  return [...ends].every(([key, end]) => (positions.get(key) ?? 0) >= end);
}
