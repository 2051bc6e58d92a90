package schemas

import "math"

// An identity says whose history it is. Every event's head says it, and no two events of a task say otherwise.
type identity struct {
	id, userID, taskType, priority string
	runID, stepID                  *string
}

// deriveState gives all of a state that follows from its history (which has one entry at least). Submission and Result
// are still to be filled in, from whoever has SubmittedBy and DecidedBy.
func deriveState(task identity, history []HistoryEntry) *TaskState {
	queued, events := splitFamilies(history)
	newestQueued := newestOfQueued(queued)
	read := readEvents(events)
	decisive := read.greatest
	if decisive == nil || newestQueued != nil && newestQueued.version() > decisive.version() {
		decisive = newestQueued
	}
	status := StatusOf(decisive.Event)
	attempt := readAttempt(queued, events, decisive)
	state := &TaskState{
		ID:         task.id,
		UserID:     task.userID,
		Type:       task.taskType,
		Priority:   task.priority,
		RunID:      task.runID,
		StepID:     task.stepID,
		Version:    decisive.version(),
		Status:     status,
		Generation: decisive.Generation,
		Attempt:    decisive.Attempt,
		CreatedAt:  createdAt(history),
		QueuedAt:   attempt.queuedAt,
		StartedAt:  attempt.startedAt,
		WorkerID:   attempt.workerID,
		Progress:   attempt.progress,
		History:    history,
		Queue:      placeInQueue(task, newestQueued),
		Events:     placeOfEvents(task, events),
		DecidedBy:  decisive.EventID,
	}
	switch {
	case status == Retrying:
		state.RunAt = decisive.DueAt
	case read.scheduled != nil && read.scheduled.Generation == decisive.Generation:
		state.RunAt = read.scheduled.DueAt
	}
	if status.Ended() {
		state.FinishedAt = &decisive.At
	}
	if decisive.Error != nil {
		state.Error = decisive.Error
	} else if status != Success {
		state.Error = attempt.err
	}
	if read.retryGeneration == decisive.Generation {
		state.RetryCount = read.retries
	}
	if submitted := newestSubmission(newestQueued, read.scheduled); submitted != nil {
		state.SubmittedBy = &submitted.EventID
	}
	return state
}

// splitFamilies: the history begins with its TaskQueued.
func splitFamilies(history []HistoryEntry) (queued, events []HistoryEntry) {
	count := 0
	for count < len(history) && history[count].Event == NameTaskQueued {
		count++
	}
	return history[:count], history[count:]
}

// newestOfQueued is the TaskQueued of the newest attempt, the copy with the smallest event id: they are sorted so.
func newestOfQueued(queued []HistoryEntry) *HistoryEntry {
	if len(queued) == 0 {
		return nil
	}
	first := len(queued) - 1
	for first > 0 && queued[first-1].version() == queued[first].version() {
		first--
	}
	return &queued[first]
}

type eventsRead struct {
	greatest, scheduled *HistoryEntry
	retryGeneration     int32
	retries             int
}

// readEvents reads the events family in the log's order.
func readEvents(events []HistoryEntry) eventsRead {
	read := eventsRead{retryGeneration: -1}
	top := int64(-1)
	for i := range events {
		entry := &events[i]
		version := entry.version()
		if entry.Event == NameTaskScheduled && (read.scheduled == nil || version > read.scheduled.version()) {
			read.scheduled = entry
		}
		if version <= top {
			continue
		}
		top, read.greatest = version, entry
		if entry.Event != NameTaskRetryScheduled {
			continue
		}
		if read.retryGeneration != entry.Generation {
			read.retries = 0
		}
		read.retryGeneration = entry.Generation
		read.retries++
	}
	return read
}

type attemptRead struct {
	queuedAt, startedAt *int64
	workerID            *string
	progress            *float64
	err                 *ErrorSummary
}

// readAttempt reads what is known of the attempt that the decisive event shows. What lies behind an end or a retry on
// the log is a zombie's and changes nothing.
func readAttempt(queued, events []HistoryEntry, decisive *HistoryEntry) attemptRead {
	var read attemptRead
	for i := range queued {
		if isSameAttempt(&queued[i], decisive) {
			read.queuedAt = &queued[i].At
			break
		}
	}
	running := StatusOf(decisive.Event) == Running
	for i := range events {
		entry := &events[i]
		if entry == decisive && !running {
			break
		}
		if !isSameAttempt(entry, decisive) {
			continue
		}
		switch entry.Event {
		case NameTaskStarted:
			if read.startedAt == nil {
				read.startedAt = &entry.At
			}
			read.workerID, read.progress = &entry.WorkerID, nil
		case NameTaskHeartbeat:
			read.workerID = &entry.WorkerID
			if entry.Progress != nil {
				read.progress = entry.Progress
			}
		case NameTaskRetryScheduled:
			if read.err == nil {
				read.err = entry.Error
			}
		}
	}
	return read
}

func isSameAttempt(a, b *HistoryEntry) bool {
	return a.Generation == b.Generation && a.Attempt == b.Attempt
}

func newestSubmission(queued, scheduled *HistoryEntry) *HistoryEntry {
	if queued == nil || scheduled != nil && scheduled.version() > queued.version() {
		return scheduled
	}
	return queued
}

// createdAt is the first submission of the oldest generation; without any, the earliest event.
func createdAt(history []HistoryEntry) int64 {
	generation, earliest := int64(math.MaxInt64), int64(math.MaxInt64)
	for i := range history {
		entry := &history[i]
		of := int64(math.MaxInt64)
		if entry.Event == NameTaskQueued || entry.Event == NameTaskScheduled {
			of = int64(entry.Generation)
		}
		if of > generation {
			continue
		}
		if of < generation {
			earliest = math.MaxInt64
		}
		generation = of
		earliest = min(earliest, entry.At)
	}
	return earliest
}

func placeInQueue(task identity, queued *HistoryEntry) *QueuePlace {
	if queued == nil {
		return nil
	}
	return &QueuePlace{QueueTopic(task.taskType, task.priority), queued.Partition, queued.Offset}
}

func placeOfEvents(task identity, events []HistoryEntry) *EventsPlace {
	if len(events) == 0 {
		return nil
	}
	first, last := &events[0], &events[len(events)-1]
	return &EventsPlace{EventsTopic(task.taskType, task.priority), first.Partition, first.Offset, last.Offset}
}
