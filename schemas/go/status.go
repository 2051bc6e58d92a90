package schemas

// A Status is what a task's events make of it.
type Status string

// The statuses of tasks.
const (
	Scheduled Status = "scheduled"
	Queued    Status = "queued"
	Running   Status = "running"
	Retrying  Status = "retrying"
	Success   Status = "success"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// StatusOf is the status of a task whose greatest event this is. The one place in which events become statuses.
func StatusOf(name RecordName) Status {
	switch name {
	case NameTaskScheduled:
		return Scheduled
	case NameTaskQueued:
		return Queued
	case NameTaskStarted, NameTaskHeartbeat:
		return Running
	case NameTaskRetryScheduled:
		return Retrying
	case NameTaskSucceeded:
		return Success
	case NameTaskFailed:
		return Failed
	case NameTaskCancelled:
		return Cancelled
	}
	return ""
}

// Ended says whether nothing but a redrive can change the task any more.
func (status Status) Ended() bool {
	return status == Success || status == Failed || status == Cancelled
}
