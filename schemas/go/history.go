package schemas

import (
	"cmp"
	"slices"
)

// historyEntry is what the history keeps of a recorded event.
func historyEntry(recorded RecordedEvent) HistoryEntry {
	head := recorded.Event.EventHead()
	entry := HistoryEntry{
		Event:      recorded.Event.RecordName(),
		Generation: head.Generation,
		Attempt:    head.Attempt,
		EventID:    head.EventID,
		At:         head.OccurredAt,
		WorkerID:   head.WorkerID,
		Partition:  recorded.Partition,
		Offset:     recorded.Offset,
	}
	switch event := recorded.Event.(type) {
	case *TaskQueued:
		entry.Cause, entry.EventsPartition = &event.Cause, &event.EventsPartition
		entry.Actor, entry.Reason = event.Actor, event.Reason
	case *TaskScheduled:
		entry.DueAt = event.RunAt
	case *TaskStarted:
		entry.Delivery, entry.Starts = &event.Delivery, &event.Starts
	case *TaskHeartbeat:
		entry.Progress, entry.HandOver = event.Progress, event.Task != nil
	case *TaskRetryScheduled:
		entry.DueAt, entry.Error = &event.RetryAt, summaryOf(&event.Error)
	case *TaskFailed:
		entry.Error = summaryOf(&event.Error)
	case *TaskSucceeded:
		entry.DurationMs = &event.DurationMs
	case *TaskCancelled:
		entry.Actor, entry.Reason = event.Actor, event.Reason
	}
	return entry
}

func summaryOf(e *TaskError) *ErrorSummary {
	return &ErrorSummary{Code: e.Code, Message: e.Message, Retryable: e.Retryable}
}

// withEntry gives the history with one more entry in it; false where that changes nothing. The history is the set of a
// task's events, without what decides nothing, so that it is the same in whatever order entries come and however often:
//   - copies of an event (one id) are one entry, with the place of the first copy;
//   - of the heartbeats of a run (generation, attempt, worker) the hand-overs are kept, and of the others the last, by
//     event id: one worker writes them, its ids ascend, and the log's order would depend on copies that are forgotten.
func withEntry(history []HistoryEntry, entry HistoryEntry) ([]HistoryEntry, bool) {
	for i := range history {
		other := &history[i]
		supersedes := false
		switch {
		case other.EventID == entry.EventID:
			supersedes = cmp.Or(cmp.Compare(entry.Partition, other.Partition), cmp.Compare(entry.Offset, other.Offset)) < 0
		case isPlainHeartbeat(&entry) && isPlainHeartbeat(other) && isSameRun(&entry, other):
			supersedes = entry.EventID > other.EventID
		default:
			continue
		}
		if !supersedes {
			return history, false
		}
		return inserted(slices.Delete(slices.Clone(history), i, i+1), entry), true
	}
	return inserted(slices.Clone(history), entry), true
}

func isPlainHeartbeat(entry *HistoryEntry) bool {
	return entry.Event == NameTaskHeartbeat && !entry.HandOver
}

func isSameRun(a, b *HistoryEntry) bool {
	return a.Generation == b.Generation && a.Attempt == b.Attempt && a.WorkerID == b.WorkerID
}

// inserted puts the entry where it belongs; it may change the history in place.
func inserted(history []HistoryEntry, entry HistoryEntry) []HistoryEntry {
	at, _ := slices.BinarySearchFunc(history, entry, compareEntries)
	return slices.Insert(history, at, entry)
}

// compareEntries puts TaskQueued before all else, as the two families have no order between them; each family has an
// order of its own. TaskQueued are sorted by event id within an attempt: of its copies the one with the smallest counts.
func compareEntries(a, b HistoryEntry) int {
	aQueued, bQueued := a.Event == NameTaskQueued, b.Event == NameTaskQueued
	switch {
	case aQueued && !bQueued:
		return -1
	case bQueued && !aQueued:
		return 1
	case aQueued:
		return cmp.Or(cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.EventID, b.EventID))
	}
	return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.EventID, b.EventID))
}
