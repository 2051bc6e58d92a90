import type { Task, TaskEvent, TaskResult } from './events.ts';
import { deriveState, identityOf, type StateDraft, type TaskIdentity } from './fold/derive.ts';
import { keptResult, submittedTask } from './fold/gatheredEvents.ts';
import { withEntry } from './fold/history.ts';
import { type HistoryEntry, historyEntry } from './fold/historyEntry.ts';
import type { RecordedEvent, TaskState } from './fold/taskState.ts';

export { eventsPartitionOf } from './fold/eventsPartition.ts';
export { type GatheredEvents, gather, stateOf } from './fold/gatheredEvents.ts';
export type { HistoryEntry } from './fold/historyEntry.ts';
export { historyFromJson, historyToJson } from './fold/historyJson.ts';
export { hasEnded, statusOf } from './fold/status.ts';
export type { ErrorSummary, RecordedEvent, TaskState, TaskStatus } from './fold/taskState.ts';
export { type TimelineEntry, timeline } from './fold/timeline.ts';
export { isEnd, packVersion, versionOf } from './fold/version.ts';

/**
 * The state of a task after one more of its events. `evolve` is `merge` with the state of that event alone: the state
 * of a set of events does not depend on the order in which they come, nor on how often. Where the event changes
 * nothing, the same object is returned.
 */
export function evolve(state: TaskState | undefined, recorded: RecordedEvent): TaskState {
  const { event } = recorded;
  const entry = historyEntry(recorded);
  if (state === undefined) return withPayloads(deriveState(identityOf(event), [entry]), event, undefined);
  const history = withEntry(state.history, entry);
  if (history === state.history) return state;
  return withPayloads(deriveState(state, history), event, state);
}

/** The state of the events of both: associative, commutative, idempotent. Throws where they are of two tasks. */
export function merge(a: TaskState, b: TaskState): TaskState {
  if (a.id !== b.id) throw new Error(`The states of two tasks cannot be merged: ${a.id} and ${b.id}`);
  let history = a.history;
  for (const entry of b.history) history = withEntry(history, entry);
  if (history === a.history) return a;
  const draft = deriveState(a, history);
  if (draft.submittedBy !== null) draft.submission = draft.submittedBy === a.submittedBy ? a.submission : b.submission;
  if (draft.status === 'success') draft.result = draft.decidedBy === a.decidedBy ? a.result : b.result;
  return draft;
}

/** The state of a task from what a row keeps of it: all else follows. The history has one entry at least. */
export function restoreState(
  kept: TaskIdentity & {
    readonly submission: Task | null;
    readonly result: TaskResult | null;
    readonly history: readonly HistoryEntry[];
  },
): TaskState {
  const draft = deriveState(kept, kept.history);
  draft.submission = kept.submission;
  draft.result = kept.result;
  return draft;
}

/** Fills in what the history does not hold: from the event just folded, or else from the state before it. */
function withPayloads(draft: StateDraft, event: TaskEvent, before: TaskState | undefined): TaskState {
  if (draft.submittedBy === event.eventId) {
    draft.submission = submittedTask(event);
  } else {
    draft.submission = before?.submission ?? null;
  }
  if (draft.status === 'success') {
    const decides = draft.decidedBy === event.eventId && event.event === 'TaskSucceeded';
    draft.result = decides ? keptResult(event.result) : (before?.result ?? null);
  }
  return draft;
}
