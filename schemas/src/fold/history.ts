import { append } from './append.ts';
import type { HistoryEntry } from './historyEntry.ts';

/**
 * The history with one more entry in its place, or the same array where that changes nothing. The history is the set of a
 * task's events, without what decides nothing, so that it is the same in whatever order entries come and however often:
 * - copies of an event (one id) are one entry, with the place of the first copy;
 * - of the heartbeats of a run (generation, attempt, worker) the hand-overs are kept, and of the others the last, by
 *   event id: one worker writes them, its ids ascend, and the log's order would depend on copies that are forgotten.
 */
export function withEntry(history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
  let others = history;
  for (let i = 0; i < history.length; i++) {
    const other = history[i]!;
    const isCopy = other.eventId === entry.eventId;
    if (!isCopy && !(isPlainHeartbeat(entry) && isPlainHeartbeat(other) && isSameRun(entry, other))) continue;
    if (isCopy ? !isEarlier(entry, other) : entry.eventId < other.eventId) return history;
    others = history.toSpliced(i, 1);
    break;
  }
  // An entry mostly comes last, so its place is looked for from the end.
  let at = others.length;
  while (at > 0 && compareEntries(others[at - 1]!, entry) > 0) at--;
  return at === others.length ? append(others, entry) : others.toSpliced(at, 0, entry);
}

/** TaskQueued before all else, as the two families have no order between them; each family in an order of its own. */
export function compareEntries(a: HistoryEntry, b: HistoryEntry): number {
  const queued = a.event === 'TaskQueued';
  if (queued !== (b.event === 'TaskQueued')) return queued ? -1 : 1;
  if (queued) {
    // By event id within an attempt: of its copies the one with the smallest counts.
    return a.generation - b.generation || a.attempt - b.attempt || compareText(a.eventId, b.eventId);
  }
  return a.offset - b.offset || compareText(a.eventId, b.eventId);
}

function isPlainHeartbeat(entry: HistoryEntry): boolean {
  return entry.event === 'TaskHeartbeat' && !entry.handOver;
}

function isSameRun(a: HistoryEntry, b: HistoryEntry): boolean {
  return a.attempt === b.attempt && a.generation === b.generation && a.workerId === b.workerId;
}

function isEarlier(a: HistoryEntry, b: HistoryEntry): boolean {
  return a.partition === b.partition ? a.offset < b.offset : a.partition < b.partition;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
