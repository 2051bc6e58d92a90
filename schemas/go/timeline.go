package schemas

import "math"

// A TimelineEntry is an entry of the history, and whether it counted when it came.
type TimelineEntry struct {
	HistoryEntry
	Counted bool `json:"counted"`
}

// Timeline gives the history as one reads it: the events in the log's order, each TaskQueued before the first event that
// its attempt, or a later one, has on the log.
//
// An event counted if it raised its task above what the events partition held before it: the first end of a generation
// did, a zombie's second end, a late start and a repeated retry did not. Starts and heartbeats of the attempt that is on
// also count. A TaskQueued counts once for each (generation, attempt): the copy with the smallest event id.
func Timeline(history []HistoryEntry) []TimelineEntry {
	queued, events := splitFamilies(history)
	lines := make([]TimelineEntry, 0, len(history))
	next := 0
	showQueuedBefore := func(place int64) {
		for ; next < len(queued) && queued[next].version() < place; next++ {
			counted := next == 0 || queued[next-1].version() != queued[next].version()
			lines = append(lines, TimelineEntry{queued[next], counted})
		}
	}
	top := int64(-1)
	for i := range events {
		entry := &events[i]
		showQueuedBefore(placeInTime(entry))
		version := entry.version()
		goesOn := version == top && StatusOf(entry.Event) == Running
		lines = append(lines, TimelineEntry{*entry, version > top || goesOn})
		top = max(top, version)
	}
	showQueuedBefore(math.MaxInt64)
	return lines
}

// placeInTime: an end is above all attempts, but comes after the queueing of its own attempt and not after that of a later one.
func placeInTime(entry *HistoryEntry) int64 {
	if isEnd(entry.Event) {
		return VersionOf(NameTaskRetryScheduled, entry.Generation, entry.Attempt)
	}
	return entry.version()
}
