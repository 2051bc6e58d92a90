import { type TaskState, versionOf } from '@taskflow/schemas/fold';

/** The state of later events of a task alone, that a row which does not know them yet can be continued with unread. */
export type Continuation = TaskState & { readonly submittedBy: null };

/**
 * Whether the events of a state only continue a task. Its row then need not be read where its version is below the least of
 * theirs, since of what it holds
 * - nothing is one of them, nor a heartbeat of a run that they have one of: all of it is of a lower version;
 * - nothing comes behind them: it lies before them on the log, and TaskQueued, which stands first in any case, is none of them;
 * - nothing else is shown afterwards: the greatest event is one of them. (A cancelled task shows the error of its last attempt,
 *   which may be in the row.)
 */
export function isContinuation(state: TaskState): state is Continuation {
  return state.submittedBy === null && state.status !== 'cancelled';
}

/** The least version that one of the events gives. */
export function leastVersionOf({ history }: TaskState): number {
  let least = Number.MAX_SAFE_INTEGER;
  for (const entry of history) least = Math.min(least, versionOf(entry));
  return least;
}
