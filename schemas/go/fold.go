package schemas

import "fmt"

// Evolve gives the state of a task after one more of its events; a nil state is that of no event. It is [Merge] with
// the state of that event alone: the state of a set of events does not depend on the order in which they come, nor on
// how often. Where the event changes nothing, the same pointer is returned.
func Evolve(state *TaskState, recorded RecordedEvent) *TaskState {
	entry := historyEntry(recorded)
	if state == nil {
		next := deriveState(identityOfEvent(recorded.Event.EventHead()), []HistoryEntry{entry})
		fillIn(next, recorded.Event, &TaskState{})
		return next
	}
	history, changed := withEntry(state.History, entry)
	if !changed {
		return state
	}
	next := deriveState(identityOfState(state), history)
	fillIn(next, recorded.Event, state)
	return next
}

// Merge gives the state of the events of both: associative, commutative, idempotent. It refuses states of two tasks.
func Merge(a, b *TaskState) (*TaskState, error) {
	if a.ID != b.ID {
		return nil, fmt.Errorf("the states of two tasks cannot be merged: %s and %s", a.ID, b.ID)
	}
	history, changed := a.History, false
	for _, entry := range b.History {
		longer, grew := withEntry(history, entry)
		history, changed = longer, changed || grew
	}
	if !changed {
		return a, nil
	}
	next := deriveState(identityOfState(a), history)
	next.Submission = b.Submission
	if a.SubmittedBy != nil && *a.SubmittedBy == *next.SubmittedBy {
		next.Submission = a.Submission
	}
	if next.Status == Success {
		next.Result = b.Result
		if a.DecidedBy == next.DecidedBy {
			next.Result = a.Result
		}
	}
	return next, nil
}

// fillIn sets what the history does not hold: from the event just folded, or else from the state before it.
func fillIn(next *TaskState, event Event, before *TaskState) {
	eventID := event.EventHead().EventID
	next.Submission = before.Submission
	if next.SubmittedBy != nil && *next.SubmittedBy == eventID {
		switch event := event.(type) {
		case *TaskQueued:
			next.Submission = &event.Task
		case *TaskScheduled:
			next.Submission = &event.Task
		}
	}
	if next.Status != Success {
		return
	}
	next.Result = before.Result
	if succeeded, ok := event.(*TaskSucceeded); ok && next.DecidedBy == eventID {
		next.Result = keptResult(succeeded.Result)
	}
}

// keptResult: a value that lies in the results view is not kept a second time. (In that of a file in the blob store are its figures.)
func keptResult(result TaskResult) *TaskResult {
	if result.Storage == "mongo" {
		result.Value = nil
	}
	return &result
}

func identityOfEvent(head *Head) identity {
	return identity{head.TaskID, head.UserID, head.Type, head.Priority, head.RunID, head.StepID}
}

func identityOfState(state *TaskState) identity {
	return identity{state.ID, state.UserID, state.Type, state.Priority, state.RunID, state.StepID}
}
