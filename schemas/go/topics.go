package schemas

// Priorities, the most urgent first.
var Priorities = []string{"high", "normal", "low"}

const (
	// ControlTopic holds signals to workers: TaskCancelRequested (key: task id), TypePaused and TypeResumed (key: type). Compacted.
	ControlTopic = "taskflow.control"
	// LogsTopic holds TaskLogLine, key task id, for 7 days.
	LogsTopic = "taskflow.logs"
	// TypesTopic holds TaskTypeRegistered, key type. Compacted.
	TypesTopic = "taskflow.types"
	// PoisonTopic holds PoisonRecord, key topic/partition/offset, for 7 days.
	PoisonTopic = "taskflow.poison"
)

// QueueBatchRecords: no writer puts more records of a queue into one batch. Workers with as many free slots acquire whole batches, of
// which the broker keeps account as of one, and not record by record.
const QueueBatchRecords = 500

// QueueTopic is the topic that holds the queue of a type and priority: nothing but TaskQueued.
func QueueTopic(taskType, priority string) string {
	return "taskflow.queue." + taskType + "." + priority
}

// EventsTopic is the topic that holds what happened to the tasks of a type and priority, in order for each task.
func EventsTopic(taskType, priority string) string {
	return "taskflow.events." + taskType + "." + priority
}

// ShareGroup is the share group through which workers take the records of one queue topic.
func ShareGroup(taskType, priority string) string {
	return "taskflow." + taskType + "." + priority
}
