package protocol

import (
	"time"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// Start is what a TaskStarted says beside its head.
type Start struct {
	// Delivery is how often the share group has handed out the record, Starts how often the attempt has been started, this one
	// included.
	Delivery, Starts int32
	LeaseMs          int64
	// QueuePartition and QueueOffset are where the TaskQueued record lies in its queue topic.
	QueuePartition int32
	QueueOffset    int64
}

// Started is the event that a worker writes before it runs the handler.
func Started(queued *schemas.TaskQueued, start Start, stamp Stamp) *schemas.TaskStarted {
	return &schemas.TaskStarted{
		Head: head(queued.Head, stamp), Delivery: start.Delivery, Starts: start.Starts, LeaseMs: int32(start.LeaseMs),
		QueuePartition: start.QueuePartition, QueueOffset: start.QueueOffset,
	}
}

// Progress is a heartbeat that shows what a handler reports. It hands nothing over.
func Progress(queued *schemas.TaskQueued, progress *float64, note *string, leaseMs int64, stamp Stamp) *schemas.TaskHeartbeat {
	return &schemas.TaskHeartbeat{
		Head: head(queued.Head, stamp), Progress: progress, Note: note, Failures: queued.Failures, Recoveries: queued.Recoveries,
		LeaseMs: int32(leaseMs),
	}
}

// Expired is the failure of a task whose first start comes too late; nil where it is in time, has no expiresAt, or had been started
// before: expiresAt bounds the first start of a generation. at is a broker's time, as near to now as is known: a worker whose
// clock is wrong must not expire what has only just been queued.
func Expired(queued *schemas.TaskQueued, starts int32, at int64) *schemas.TaskError {
	expiresAt := queued.Task.ExpiresAt
	if expiresAt == nil || at < *expiresAt || queued.Attempt != 1 || starts != 1 {
		return nil
	}
	limit := time.UnixMilli(*expiresAt).UTC().Format("2006-01-02T15:04:05.000Z")
	return &schemas.TaskError{Code: "EXPIRED", Message: "Not started by " + limit + ", its expiresAt"}
}

// WorkerLost ends a task whose runs were lost with their workers, time after time.
func WorkerLost(subject schemas.Head, failures int32, message string, stamp Stamp) *schemas.TaskFailed {
	return &schemas.TaskFailed{
		Head: head(subject, stamp), Error: schemas.TaskError{Code: "WORKER_LOST", Message: message}, Failures: failures,
	}
}

// WorkerStopped gives an attempt back through the log: the next is due at once, and no failure is counted. For what a stopping
// worker has handed over, and for a record that comes near its delivery limit.
func WorkerStopped(queued *schemas.TaskQueued, message string, stamp Stamp) *schemas.TaskRetryScheduled {
	return &schemas.TaskRetryScheduled{
		Head: head(queued.Head, stamp), Error: schemas.TaskError{Code: "WORKER_STOPPED", Message: message, Retryable: true},
		RetryAt: stamp.Now, Failures: queued.Failures, Recoveries: queued.Recoveries, Task: queued.Task,
	}
}

// What a worker that stops does with a run that its grace did not suffice for.
type StopDecision string

// Release: what is locked goes back to the broker. GiveBack: what is handed over, and still held, goes back through the log. Leave:
// a zombie's is left to the end of its lease.
const (
	StopRelease  StopDecision = "release"
	StopGiveBack StopDecision = "give-back"
	StopLeave    StopDecision = "leave"
)

// DecideStop says what becomes of such a run.
func DecideStop(handedOver, held bool) StopDecision {
	switch {
	case !handedOver:
		return StopRelease
	case held:
		return StopGiveBack
	}
	return StopLeave
}
