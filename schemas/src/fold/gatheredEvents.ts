import type { Task, TaskEvent, TaskResult } from '../events.ts';
import { append } from './append.ts';
import { deriveState, identityOf, type TaskIdentity } from './derive.ts';
import { withEntry } from './history.ts';
import { type HistoryEntry, historyEntry } from './historyEntry.ts';
import type { RecordedEvent, TaskState } from './taskState.ts';

/** Events of one task, to be folded at once. */
export interface GatheredEvents {
  readonly task: TaskIdentity;
  history: readonly HistoryEntry[];
  /** Those that carry what the history does not hold. */
  carriers: readonly TaskEvent[];
}

/** Takes one more event of a task in; `gathered`, where there are some already, is changed and given back. */
export function gather(gathered: GatheredEvents | undefined, recorded: RecordedEvent): GatheredEvents {
  const { event } = recorded;
  const events = gathered ?? { task: identityOf(event), history: [], carriers: [] };
  const history = withEntry(events.history, historyEntry(recorded));
  if (history === events.history) return events;
  events.history = history;
  if (isCarrier(event)) events.carriers = append(events.carriers, event);
  return events;
}

/** The state of the events: what `evolve` makes of them one by one, for the cost of one step. */
export function stateOf({ task, history, carriers }: GatheredEvents): TaskState {
  const draft = deriveState(task, history);
  for (const event of carriers) {
    if (event.event === 'TaskSucceeded') {
      if (event.eventId === draft.decidedBy) draft.result = keptResult(event.result);
    } else if (event.eventId === draft.submittedBy) {
      draft.submission = submittedTask(event);
    }
  }
  return draft;
}

/** What an event submits; null where it submits nothing. */
export function submittedTask(event: TaskEvent): Task | null {
  return event.event === 'TaskQueued' || event.event === 'TaskScheduled' ? event.task : null;
}

/** A value that lies in the results view is not kept a second time. (In that of a file in the blob store are its figures.) */
export function keptResult(result: TaskResult): TaskResult {
  return result.storage !== 'mongo' || result.value === null ? result : { ...result, value: null };
}

function isCarrier(event: TaskEvent): boolean {
  return event.event === 'TaskSucceeded' || submittedTask(event) !== null;
}
