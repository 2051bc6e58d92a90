package protocol

import schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"

// A HandOver is how a run's lease moves from the broker's lock to the log.
type HandOver struct {
	// Reason: age, window, session-lost or lock-passed; empty: not now.
	Reason string `json:"reason"`
	// LookFirst: before it read the log from the run's start on, and hand over only if nobody has taken the run meanwhile
	// (IsOvertakenBy). A worker that was frozen for an hour would otherwise claim what has long ended.
	LookFirst bool `json:"lookFirst"`
	// LookAfter: after it read the log up to the hand-over. If it shows that somebody had started the run before, it is overtaken.
	LookAfter bool `json:"lookAfter"`
}

// DecideHandOver says whether a run (since then on the monotonic clock, its record at offset) is handed over now: by age; when its
// partition has moved a quarter of the window of locks beyond it (it stalls behind its oldest lock; highest is the highest
// offset had from it); at once when its session or its lock is lost.
func DecideHandOver(since, offset int64, hold Hold, now, highest int64, values Values) HandOver {
	switch {
	case hold.LeaseUntil != nil || hold.Overtaken:
		return HandOver{}
	case hold.LockedUntil <= now:
		return HandOver{Reason: "lock-passed", LookFirst: true, LookAfter: true}
	case hold.LockLost:
		return HandOver{Reason: "session-lost", LookAfter: true}
	case 4*(highest-offset) >= values.MaxRecordLocks:
		return HandOver{Reason: "window"}
	case now-since >= values.HandOverAfterMs:
		return HandOver{Reason: "age"}
	}
	return HandOver{}
}

// HandedOver is the heartbeat that hands over: from its append on the log holds the lease. stamp.WorkerID is the worker that runs
// it, whoever writes.
func HandedOver(queued *schemas.TaskQueued, leaseMs int64, stamp Stamp) *schemas.TaskHeartbeat {
	event := Progress(queued, nil, nil, leaseMs, stamp)
	task := queued.Task
	event.Task = &task
	return event
}

// IsOvertakenBy says whether an event, found behind the run's own start, means that the run is not this worker's any more: somebody
// else started the attempt, or it is settled. A hand-over in this worker's name takes nothing from it.
func IsOvertakenBy(event schemas.Event, run schemas.Head, workerID string) bool {
	head, name := event.EventHead(), event.RecordName()
	switch {
	case head.TaskID != run.TaskID || head.Generation < run.Generation:
		return false
	case head.Generation > run.Generation || schemas.StatusOf(name).Ended() || head.Attempt > run.Attempt:
		return true
	case head.Attempt < run.Attempt:
		return false
	}
	return name == schemas.NameTaskRetryScheduled || name == schemas.NameTaskStarted && head.WorkerID != workerID
}
