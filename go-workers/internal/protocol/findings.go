package protocol

import schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"

// A CheckedRecord is a record of the queue whose task is looked up in its events partition.
type CheckedRecord struct {
	Queued *schemas.TaskQueued
	// Partition and Offset are where the record lies in its queue topic.
	Partition int32
	Offset    int64
}

// Settled is why a record needs no run of its own any more: ended, superseded, retry-scheduled, handed-over or copy; empty: it does.
type Settled string

// A FoundStart is the last start of an attempt.
type FoundStart struct {
	WorkerID string `json:"workerId"`
	// Starts is the greatest count so far: a start that was long under way does not set it back.
	Starts int32 `json:"starts"`
	// Offset of the start in the events partition.
	Offset int64 `json:"offset"`
}

// A QueueOwner is the record from which an attempt was started first: others of the same attempt are copies.
type QueueOwner struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

// Findings are what the log says of an attempt, as far as it has been read.
type Findings struct {
	Settled   Settled     `json:"settled"`
	Owner     *QueueOwner `json:"owner"`
	LastStart *FoundStart `json:"lastStart"`
}

// Add takes in an event of the events partition, in the log's order. Events of other tasks and of what was before change nothing.
//
// A record is settled by an end of its generation (of whichever attempt), by a retry or a hand-over of its attempt, by anything of
// a later attempt or generation; and where its attempt was first started from another record. Which of several records the
// first start came from is the same for all who look, so never do all of them give way to each other.
func (findings *Findings) Add(record CheckedRecord, event schemas.Event, offset int64) {
	head, queued := event.EventHead(), &record.Queued.Head
	if head.TaskID != queued.TaskID || head.Generation < queued.Generation {
		return
	}
	if findings.Settled == "" {
		findings.Settled = settledBy(event, queued)
	}
	started, ok := event.(*schemas.TaskStarted)
	if !ok || head.Attempt != queued.Attempt || head.Generation != queued.Generation {
		return
	}
	if findings.Owner == nil {
		findings.Owner = &QueueOwner{started.QueuePartition, started.QueueOffset}
	}
	starts := started.Starts
	if findings.LastStart != nil {
		starts = max(starts, findings.LastStart.Starts)
	}
	findings.LastStart = &FoundStart{head.WorkerID, starts, offset}
	if *findings.Owner != (QueueOwner{record.Partition, record.Offset}) && findings.Settled == "" {
		findings.Settled = "copy"
	}
}

func settledBy(event schemas.Event, queued *schemas.Head) Settled {
	head, name := event.EventHead(), event.RecordName()
	switch {
	case head.Generation > queued.Generation:
		return "superseded"
	case schemas.StatusOf(name).Ended():
		return "ended"
	case head.Attempt > queued.Attempt:
		return "superseded"
	case head.Attempt < queued.Attempt:
		return ""
	case name == schemas.NameTaskRetryScheduled:
		return "retry-scheduled"
	}
	if heartbeat, ok := event.(*schemas.TaskHeartbeat); ok && heartbeat.Task != nil {
		return "handed-over"
	}
	return ""
}
