package protocol

import schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"

// A Stamp says who says an event, and when: all that a decision cannot know by itself.
type Stamp struct {
	Now     int64
	EventID string
	// WorkerID is the process whose run it is about; empty where none.
	WorkerID string
}

// head is that of an event about an attempt.
func head(subject schemas.Head, stamp Stamp) schemas.Head {
	subject.WorkerID, subject.EventID, subject.OccurredAt = stamp.WorkerID, stamp.EventID, stamp.Now
	return subject
}
