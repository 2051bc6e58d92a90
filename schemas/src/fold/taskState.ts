import type { Task, TaskEvent, TaskResult } from '../events.ts';
import type { HistoryEntry } from './historyEntry.ts';

export type TaskStatus = 'scheduled' | 'queued' | 'running' | 'retrying' | 'success' | 'failed' | 'cancelled';

/** An event with its place on the log. */
export interface RecordedEvent {
  readonly event: TaskEvent;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The broker's time stamp. The fold does not use it: a copy of an event has the event's own times. */
  readonly appendedAt: number;
}

/** What is kept of an error in the state: all but its details, which the event on the log has. */
export interface ErrorSummary {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/**
 * What a set of a task's events says of it. Plain data, never changed in place. All of it follows from three parts,
 * `history`, `submission` and `result`: whoever stores a state stores these, and `restoreState` gives it back.
 * Times are those at which it happened (`occurredAt`), in milliseconds since 1970.
 */
export interface TaskState {
  readonly id: string;
  readonly userId: string;
  readonly type: string;
  readonly priority: string;
  /** The workflow run that the task is a step of, and which step; null where none. */
  readonly runId: string | null;
  readonly stepId: string | null;
  /** Where the greatest of the events stands in their order, packed into one integer: see `packVersion`. */
  readonly version: number;
  readonly status: TaskStatus;
  /** Generation and attempt of the greatest event: a late success of attempt 1 shows 1. */
  readonly generation: number;
  readonly attempt: number;
  /** What is to be done, from the newest TaskQueued or TaskScheduled; null: none has come yet, and the task is neither shown nor counted. */
  readonly submission: Task | null;
  /** The first TaskQueued or TaskScheduled of generation 0 (as long as there is none: the earliest event known). */
  readonly createdAt: number;
  /** When it is, or was, due: while it waits for a retry that retry's time, otherwise the time that it was scheduled for. */
  readonly runAt: number | null;
  /** When the shown attempt was queued. */
  readonly queuedAt: number | null;
  /** The first start of the shown attempt. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Who ran the shown attempt last; null where nobody has. */
  readonly workerId: string | null;
  /** 0 to 1, as last told by the shown attempt's last run; null where it has not told. */
  readonly progress: number | null;
  /** Why the shown attempt failed; null where it has not. */
  readonly error: ErrorSummary | null;
  /** What it produced. `value` is not kept where it lies in the results view. */
  readonly result: TaskResult | null;
  /** How many retries of the shown generation have counted. */
  readonly retryCount: number;
  /** All events that decide something: of a run's heartbeats only hand-overs and the last one. TaskQueued first, then the rest in the log's order. */
  readonly history: readonly HistoryEntry[];
  /** Where the newest TaskQueued lies. */
  readonly queue: { readonly topic: string; readonly partition: number; readonly offset: number } | null;
  /** Where the events of the history lie. */
  readonly events: {
    readonly topic: string;
    readonly partition: number;
    readonly firstOffset: number;
    readonly lastOffset: number;
  } | null;
  /** The event that decided the status: the greatest. */
  readonly decidedBy: string;
  /** The event that `submission` is from. */
  readonly submittedBy: string | null;
}
