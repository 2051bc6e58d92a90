package protocol

import schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"

// Control is what taskflow.control says at a moment, as far as it concerns a worker. Folded from the topic's start, in its order.
type Control struct {
	cancelled map[string]int32 // task id → the greatest generation that was cancelled
	paused    map[string]bool  // types that are not to be fetched
}

// NewControl is the state before the first record.
func NewControl() *Control {
	return &Control{cancelled: map[string]int32{}, paused: map[string]bool{}}
}

// Apply adds a record of the topic (nil: a tombstone).
func (c *Control) Apply(key string, record schemas.Record) {
	switch record := record.(type) {
	case nil: // keys don't collide: type names have no hyphen, task ids always do
		delete(c.cancelled, key)
		delete(c.paused, key)
	case *schemas.TaskCancelRequested:
		if known, ok := c.cancelled[record.TaskID]; !ok || record.Generation > known {
			c.cancelled[record.TaskID] = record.Generation
		}
	case *schemas.TypePaused:
		c.paused[record.Type] = true
	case *schemas.TypeResumed:
		delete(c.paused, record.Type)
	}
}

// IsCancelled says whether a delivered record, or a run, is to be dropped: its TaskCancelled is on the log, so that the record is
// accepted (or its heartbeats end) without a further event, and a handler that runs is aborted. A redriven task runs.
func (c *Control) IsCancelled(run *schemas.Head) bool {
	generation, ok := c.cancelled[run.TaskID]
	return ok && run.Generation <= generation
}

// IsPaused says whether a type is not to be fetched.
func (c *Control) IsPaused(taskType string) bool { return c.paused[taskType] }
