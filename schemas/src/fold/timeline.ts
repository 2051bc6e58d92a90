import type { HistoryEntry } from './historyEntry.ts';
import { isEnd, versionOf } from './version.ts';

/** An entry of the history, and whether it counted when it came. */
export interface TimelineEntry extends HistoryEntry {
  readonly counted: boolean;
}

/**
 * The history as one reads it: the events in the log's order, each TaskQueued before the first event that its
 * attempt, or a later one, has on the log.
 *
 * An event counted if it raised its task above what the events partition held before it: the first end of a
 * generation did, a zombie's second end, a late start and a repeated retry did not. Starts and heartbeats of the
 * attempt that is on also count. A TaskQueued counts once for each (generation, attempt): the copy with the smallest
 * event id.
 */
export function timeline(history: readonly HistoryEntry[]): readonly TimelineEntry[] {
  const lines: TimelineEntry[] = [];
  const queued = history.filter((entry) => entry.event === 'TaskQueued');
  const events = history.filter((entry) => entry.event !== 'TaskQueued');
  let nextQueued = 0;
  const showQueuedBefore = (place: number): void => {
    for (; nextQueued < queued.length && versionOf(queued[nextQueued]!) < place; nextQueued++) {
      const entry = queued[nextQueued]!;
      const before = queued[nextQueued - 1];
      const counted = before === undefined || versionOf(before) !== versionOf(entry);
      lines.push({ ...entry, counted });
    }
  };
  let top = -1;
  for (const entry of events) {
    showQueuedBefore(placeInTime(entry));
    const version = versionOf(entry);
    const goesOn = version === top && (entry.event === 'TaskStarted' || entry.event === 'TaskHeartbeat');
    lines.push({ ...entry, counted: version > top || goesOn });
    top = Math.max(top, version);
  }
  showQueuedBefore(Number.POSITIVE_INFINITY);
  return lines;
}

/** An end is above all attempts, but comes after the queueing of its own attempt and not after that of a later one. */
function placeInTime(entry: HistoryEntry): number {
  if (!isEnd(entry.event)) return versionOf(entry);
  return versionOf({ event: 'TaskRetryScheduled', generation: entry.generation, attempt: entry.attempt });
}
