package schemas

// A RecordedEvent is an event with its place on the log.
type RecordedEvent struct {
	Event     Event
	Topic     string
	Partition int32
	Offset    int64
	// AppendedAt is the broker's time stamp. The fold does not use it: a copy of an event has the event's own times.
	AppendedAt int64
}

// An ErrorSummary is what is kept of an error in the state: all but its details, which the event on the log has.
type ErrorSummary struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

// A QueuePlace is where a TaskQueued lies.
type QueuePlace struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// An EventsPlace is where a task's events lie, from the first to the last.
type EventsPlace struct {
	Topic       string `json:"topic"`
	Partition   int32  `json:"partition"`
	FirstOffset int64  `json:"firstOffset"`
	LastOffset  int64  `json:"lastOffset"`
}

// A TaskState is what a set of a task's events says of it. It is never changed in place. The fields are those of
// TaskState in @taskflow/schemas, where each is described; nil stands for null, and times are milliseconds since 1970.
type TaskState struct {
	ID          string         `json:"id"`
	UserID      string         `json:"userId"`
	Type        string         `json:"type"`
	Priority    string         `json:"priority"`
	RunID       *string        `json:"runId"`
	StepID      *string        `json:"stepId"`
	Version     int64          `json:"version"`
	Status      Status         `json:"status"`
	Generation  int32          `json:"generation"`
	Attempt     int32          `json:"attempt"`
	Submission  *Task          `json:"submission"`
	CreatedAt   int64          `json:"createdAt"`
	RunAt       *int64         `json:"runAt"`
	QueuedAt    *int64         `json:"queuedAt"`
	StartedAt   *int64         `json:"startedAt"`
	FinishedAt  *int64         `json:"finishedAt"`
	WorkerID    *string        `json:"workerId"`
	Progress    *float64       `json:"progress"`
	Error       *ErrorSummary  `json:"error"`
	Result      *TaskResult    `json:"result"`
	RetryCount  int            `json:"retryCount"`
	History     []HistoryEntry `json:"history"`
	Queue       *QueuePlace    `json:"queue"`
	Events      *EventsPlace   `json:"events"`
	DecidedBy   string         `json:"decidedBy"`
	SubmittedBy *string        `json:"submittedBy"`
}

// A HistoryEntry is what the history keeps of an event.
type HistoryEntry struct {
	Event      RecordName `json:"event"`
	Generation int32      `json:"generation"`
	Attempt    int32      `json:"attempt"`
	EventID    string     `json:"eventId"`
	At         int64      `json:"at"`
	WorkerID   string     `json:"workerId"`
	Partition  int32      `json:"partition"`
	Offset     int64      `json:"offset"`
	Cause      *string    `json:"cause"`
	// EventsPartition is where the task's events lie, as its TaskQueued says.
	EventsPartition *int32        `json:"eventsPartition"`
	Delivery        *int32        `json:"delivery"`
	Starts          *int32        `json:"starts"`
	Progress        *float64      `json:"progress"`
	HandOver        bool          `json:"handOver"`
	DueAt           *int64        `json:"dueAt"`
	Error           *ErrorSummary `json:"error"`
	DurationMs      *int64        `json:"durationMs"`
	Actor           *string       `json:"actor"`
	Reason          *string       `json:"reason"`
}

func (entry *HistoryEntry) version() int64 {
	return VersionOf(entry.Event, entry.Generation, entry.Attempt)
}
