// Code generated from schemas/avro by `make generate`. DO NOT EDIT.

package schemas

// NamePoisonRecord is the name of [PoisonRecord].
const NamePoisonRecord RecordName = "PoisonRecord"

// NameTaskCancelRequested is the name of [TaskCancelRequested].
const NameTaskCancelRequested RecordName = "TaskCancelRequested"

// NameTaskCancelled is the name of [TaskCancelled].
const NameTaskCancelled RecordName = "TaskCancelled"

// NameTaskFailed is the name of [TaskFailed].
const NameTaskFailed RecordName = "TaskFailed"

// NameTaskHeartbeat is the name of [TaskHeartbeat].
const NameTaskHeartbeat RecordName = "TaskHeartbeat"

// NameTaskLogLine is the name of [TaskLogLine].
const NameTaskLogLine RecordName = "TaskLogLine"

// NameTaskQueued is the name of [TaskQueued].
const NameTaskQueued RecordName = "TaskQueued"

// NameTaskRetryScheduled is the name of [TaskRetryScheduled].
const NameTaskRetryScheduled RecordName = "TaskRetryScheduled"

// NameTaskScheduled is the name of [TaskScheduled].
const NameTaskScheduled RecordName = "TaskScheduled"

// NameTaskStarted is the name of [TaskStarted].
const NameTaskStarted RecordName = "TaskStarted"

// NameTaskSucceeded is the name of [TaskSucceeded].
const NameTaskSucceeded RecordName = "TaskSucceeded"

// NameTaskTypeRegistered is the name of [TaskTypeRegistered].
const NameTaskTypeRegistered RecordName = "TaskTypeRegistered"

// NameTypePaused is the name of [TypePaused].
const NameTypePaused RecordName = "TypePaused"

// NameTypeResumed is the name of [TypeResumed].
const NameTypeResumed RecordName = "TypeResumed"

// RecordNames are the records that are written to topics.
var RecordNames = []RecordName{
	NamePoisonRecord,
	NameTaskCancelRequested,
	NameTaskCancelled,
	NameTaskFailed,
	NameTaskHeartbeat,
	NameTaskLogLine,
	NameTaskQueued,
	NameTaskRetryScheduled,
	NameTaskScheduled,
	NameTaskStarted,
	NameTaskSucceeded,
	NameTaskTypeRegistered,
	NameTypePaused,
	NameTypeResumed,
}

// Head holds the first fields of every event of a task.
type Head struct {
	// The task: a UUIDv7 unless derived from its cause (then UUIDv5). Its 36 characters are also the Kafka key.
	TaskID string `avro:"taskId" json:"taskId"`

	// Counts the redrives of the task: 0 at first, one more each time an ended task is opened again.
	Generation int32 `avro:"generation" json:"generation"`

	// Numbers the queued executions within the generation, from 1. A second delivery of one record is the same attempt.
	Attempt int32 `avro:"attempt" json:"attempt"`

	// The process that runs the attempt: name, pid and a random suffix (worker-1.4711.k3x9). Empty where none is concerned.
	WorkerID string `avro:"workerId" json:"workerId"`

	// This event: a UUIDv7. A copy of an event (an append repeated after a lost answer) has the same id.
	EventID string `avro:"eventId" json:"eventId"`

	// The user who owns the task.
	UserID string `avro:"userId" json:"userId"`

	// The task type, which names the topics. Never changes within a task.
	Type string `avro:"type" json:"type"`

	// high, normal or low; it names the topics. Never changes within a task.
	Priority string `avro:"priority" json:"priority"`

	// When it happened, by the clock of its writer. The record's append time is the broker's.
	OccurredAt int64 `avro:"occurredAt" json:"occurredAt"`

	// The workflow run that the task is a step of; null where none.
	RunID *string `avro:"runId" json:"runId"`

	// The step within the workflow run; null where none.
	StepID *string `avro:"stepId" json:"stepId"`
}

// PoisonRecord: A record that could not be decoded, parked so that its partition goes on. Written to taskflow.poison by the projector alone (key: topic/partition/offset, 7 days).
type PoisonRecord struct {
	// Where it lies.
	Topic string `avro:"topic" json:"topic"`

	// Where it lies.
	Partition int32 `avro:"partition" json:"partition"`

	// Where it lies.
	Offset int64 `avro:"offset" json:"offset"`

	// The record's append time.
	AppendedAt int64 `avro:"appendedAt" json:"appendedAt"`

	// Why it could not be decoded.
	Reason string `avro:"reason" json:"reason"`

	// The schema id in its first five bytes; null where they are none.
	SchemaID *int64 `avro:"schemaId" json:"schemaId"`

	// The record's key, its first 1,024 bytes; null where it has none.
	Key *[]byte `avro:"key" json:"key"`

	// The record's value, its first 65,536 bytes; null where it has none.
	Value *[]byte `avro:"value" json:"value"`

	// Bytes of the whole value.
	Size int64 `avro:"size" json:"size"`

	// When it happened, by the clock of its writer.
	OccurredAt int64 `avro:"occurredAt" json:"occurredAt"`
}

// Task: What is to be done and how: travels with every event that asks for something later, so that its reader depends on nothing but the log.
type Task struct {
	// The input, JSON text that the type's payload schema has accepted.
	Payload string `avro:"payload" json:"payload"`

	// How many attempts may fail before the task does.
	MaxAttempts int32 `avro:"maxAttempts" json:"maxAttempts"`

	// Upper bound of the delay before the second attempt, in milliseconds; the delay is drawn from 0 to the bound (full jitter).
	BackoffBaseMs int32 `avro:"backoffBaseMs" json:"backoffBaseMs"`

	// What the bound is multiplied by after each further failure.
	BackoffFactor float64 `avro:"backoffFactor" json:"backoffFactor"`

	// The bound never exceeds this, in milliseconds.
	BackoffCapMs int32 `avro:"backoffCapMs" json:"backoffCapMs"`

	// Error codes after which no further attempt is made.
	NotRetryable []string `avro:"notRetryable" json:"notRetryable"`

	// How long an attempt may run, in milliseconds.
	TimeoutMs int32 `avro:"timeoutMs" json:"timeoutMs"`

	// The generation's first start must come before this, judged by the broker's append times; null: no limit. A redrive clears it.
	ExpiresAt *int64 `avro:"expiresAt" json:"expiresAt"`

	// Labels of the user, for filters.
	Tags []string `avro:"tags" json:"tags"`

	// The Idempotency-Key of the submission (of its batch, where it came in one); null where none.
	IdempotencyKey *string `avro:"idempotencyKey" json:"idempotencyKey"`

	// SHA-256 of the request body that came with the key, in hexadecimal; null without a key.
	BodyHash *string `avro:"bodyHash" json:"bodyHash"`

	// The cron schedule that submitted the task; null where none.
	ScheduleID *string `avro:"scheduleId" json:"scheduleId"`
}

// TaskCancelRequested: Tells workers to drop or abort what they hold of a task up to a generation. Written to taskflow.control (key: the task id) once TaskCancelled is acknowledged; removed by a tombstone when the group has passed the task's record.
type TaskCancelRequested struct {
	// The task.
	TaskID string `avro:"taskId" json:"taskId"`

	// What is of this generation or older is to be dropped; a later one runs.
	Generation int32 `avro:"generation" json:"generation"`

	// This record: a UUIDv7.
	EventID string `avro:"eventId" json:"eventId"`

	// The task's type, so that a worker that does not run it need not look further.
	Type string `avro:"type" json:"type"`

	// The task's priority: with type, its queue topic.
	Priority string `avro:"priority" json:"priority"`

	// When it happened, by the clock of its writer.
	OccurredAt int64 `avro:"occurredAt" json:"occurredAt"`
}

// TaskCancelled: The task was ended by request.
type TaskCancelled struct {
	Head

	// The words of whoever cancelled; null where none were given.
	Reason *string `avro:"reason" json:"reason"`

	// The user who cancelled; null for the system.
	Actor *string `avro:"actor" json:"actor"`
}

// TaskError: Why an attempt failed.
type TaskError struct {
	// One of the published codes (TIMEOUT, HTTP_STATUS, …), or the type's own.
	Code string `avro:"code" json:"code"`

	// What happened, to what, in words for the owner of the task.
	Message string `avro:"message" json:"message"`

	// Whether a further attempt could do better. The policy in the task decides whether there is one.
	Retryable bool `avro:"retryable" json:"retryable"`

	// More about it, JSON text; null where there is none.
	Details *string `avro:"details" json:"details"`
}

// TaskFailed: The task ended without success.
type TaskFailed struct {
	Head

	// Why the last attempt failed, or the task could not go on.
	Error TaskError `avro:"error" json:"error"`

	// How many attempts of the generation have failed, this one included.
	Failures int32 `avro:"failures" json:"failures"`
}

// TaskHeartbeat: The run is alive. With task: from here on the log holds its lease, and the queue record is accepted.
type TaskHeartbeat struct {
	Head

	// How much is done, 0 to 1; null where the handler has not said.
	Progress *float64 `avro:"progress" json:"progress"`

	// What the handler says it is doing; null where it has not said.
	Note *string `avro:"note" json:"note"`

	// Set where the event hands the lease over to the log (and then needed to queue the next attempt); null otherwise.
	Task *Task `avro:"task" json:"task"`

	// How many of the generation's attempts have failed so far; counted against task.maxAttempts.
	Failures int32 `avro:"failures" json:"failures"`

	// How many of the generation's attempts were queued because a run was lost; five at most.
	Recoveries int32 `avro:"recoveries" json:"recoveries"`

	// How long the run is presumed alive after this event, in milliseconds.
	LeaseMs int32 `avro:"leaseMs" json:"leaseMs"`
}

// TaskLogLine: A line that task code has logged. Written to taskflow.logs (key: the task id, 7 days). Task, generation, attempt, worker and seq name it once.
type TaskLogLine struct {
	// The task.
	TaskID string `avro:"taskId" json:"taskId"`

	// Of the run that logged it.
	Generation int32 `avro:"generation" json:"generation"`

	// Of the run that logged it.
	Attempt int32 `avro:"attempt" json:"attempt"`

	// The process that logged it.
	WorkerID string `avro:"workerId" json:"workerId"`

	// The user who owns the task.
	UserID string `avro:"userId" json:"userId"`

	// The task type.
	Type string `avro:"type" json:"type"`

	// Numbers the lines of a run, from 0.
	Seq int32 `avro:"seq" json:"seq"`

	// When it happened, by the clock of its writer.
	OccurredAt int64 `avro:"occurredAt" json:"occurredAt"`

	// debug, info, warn or error.
	Level string `avro:"level" json:"level"`

	// The line.
	Message string `avro:"message" json:"message"`

	// What was logged beside the message, a JSON object as text; null where nothing was.
	Fields *string `avro:"fields" json:"fields"`
}

// TaskQueued: An attempt was put into the queue. The only event in the queue topics: the share group hands each record to one worker.
type TaskQueued struct {
	Head

	// What to run.
	Task Task `avro:"task" json:"task"`

	// How many of the generation's attempts have failed so far; counted against task.maxAttempts.
	Failures int32 `avro:"failures" json:"failures"`

	// How many of the generation's attempts were queued because a run was lost; five at most.
	Recoveries int32 `avro:"recoveries" json:"recoveries"`

	// The partition of the events topic in which all that happens to the task is recorded. Chosen at submission, carried on, never computed again.
	EventsPartition int32 `avro:"eventsPartition" json:"eventsPartition"`

	// Why it was queued: submit, schedule, admit, retry, release, recover or redrive.
	Cause string `avro:"cause" json:"cause"`

	// Whether a worker must look at the events topic before it runs it: the record recovers a lost run, or may be a second copy.
	Check bool `avro:"check" json:"check"`

	// Who had it queued, where somebody did by hand (redrive); null for its owner's submission and for the system.
	Actor *string `avro:"actor" json:"actor"`

	// The words of whoever had it queued; null where none were given.
	Reason *string `avro:"reason" json:"reason"`
}

// TaskResult: What a successful run produced, or where it lies.
type TaskResult struct {
	// Where the value lies: inline (in value, and kept in the task), mongo (in value, copied from here into the results view under ref) or s3 (only under ref).
	Storage string `avro:"storage" json:"storage"`

	// The result, JSON text. Where storage is s3: what the type says of a file (sizes, dimensions, …), or null.
	Value *string `avro:"value" json:"value"`

	// Its name in the store: for mongo the document's _id, <taskId>.<generation>.<attempt>.<workerId>; null for inline.
	Ref *string `avro:"ref" json:"ref"`

	// A few words for lists; null where the type gives none.
	Preview *string `avro:"preview" json:"preview"`

	// Bytes of the result (of the JSON text, or of the blob).
	Size int64 `avro:"size" json:"size"`

	// Media type of the result.
	ContentType string `avro:"contentType" json:"contentType"`

	// SHA-256 of the same bytes, in hexadecimal.
	SHA256 string `avro:"sha256" json:"sha256"`

	// How long the result is kept after the task ended, in milliseconds; null: for ever.
	TTLMs *int64 `avro:"ttlMs" json:"ttlMs"`
}

// TaskRetryScheduled: The attempt ended without success, and a further one is due.
type TaskRetryScheduled struct {
	Head

	// Why the attempt ended.
	Error TaskError `avro:"error" json:"error"`

	// When the next attempt is due. The delay counts from this event's append time.
	RetryAt int64 `avro:"retryAt" json:"retryAt"`

	// How many of the generation's attempts have failed so far; counted against task.maxAttempts.
	Failures int32 `avro:"failures" json:"failures"`

	// How many of the generation's attempts were queued because a run was lost; five at most.
	Recoveries int32 `avro:"recoveries" json:"recoveries"`

	// What to run then.
	Task Task `avro:"task" json:"task"`
}

// TaskScheduled: The task was accepted for later.
type TaskScheduled struct {
	Head

	// What to run when it is due.
	Task Task `avro:"task" json:"task"`

	// When it is due; null: held until it is admitted.
	RunAt *int64 `avro:"runAt" json:"runAt"`
}

// TaskStarted: A worker is about to run the attempt. Acknowledged before the handler runs.
type TaskStarted struct {
	Head

	// How often the share group has handed out the record, this time included.
	Delivery int32 `avro:"delivery" json:"delivery"`

	// How often the attempt has been started, this time included.
	Starts int32 `avro:"starts" json:"starts"`

	// How long the run is presumed alive after a heartbeat once it holds a lease, in milliseconds.
	LeaseMs int32 `avro:"leaseMs" json:"leaseMs"`

	// Partition of the TaskQueued record in its queue topic.
	QueuePartition int32 `avro:"queuePartition" json:"queuePartition"`

	// Offset of the TaskQueued record.
	QueueOffset int64 `avro:"queueOffset" json:"queueOffset"`
}

// TaskSucceeded: The attempt ended well, and the task with it.
type TaskSucceeded struct {
	Head

	// What it produced.
	Result TaskResult `avro:"result" json:"result"`

	// How long the handler ran, in milliseconds, by the worker's monotonic clock.
	DurationMs int64 `avro:"durationMs" json:"durationMs"`
}

// TaskTypeRegistered: A task type as the workers that run it define it. Written to taskflow.types (key: the type's name) by each worker at its start.
type TaskTypeRegistered struct {
	// The name: a lower-case letter, then lower-case letters, digits and underscores, 64 at most. It names the topics.
	Type string `avro:"type" json:"type"`

	// Of the definition; the greater one is shown where two are registered.
	Version int32 `avro:"version" json:"version"`

	// What runs it: typescript or go.
	Runtime string `avro:"runtime" json:"runtime"`

	// JSON Schema (2020-12) of the payload, as text. It says all that the worker would refuse.
	PayloadSchema string `avro:"payloadSchema" json:"payloadSchema"`

	// JSON Schema (2020-12) of the result, as text.
	ResultSchema string `avro:"resultSchema" json:"resultSchema"`

	// Where its results go: inline (small and not queried) or mongo.
	ResultStorage string `avro:"resultStorage" json:"resultStorage"`

	// What becomes of a run whose worker may be gone: at-once (a second run does no harm) or after-lease.
	Takeover string `avro:"takeover" json:"takeover"`

	// Default of the option, as in Task.
	MaxAttempts int32 `avro:"maxAttempts" json:"maxAttempts"`

	// Default of the option, as in Task.
	BackoffBaseMs int32 `avro:"backoffBaseMs" json:"backoffBaseMs"`

	// Default of the option, as in Task.
	BackoffFactor float64 `avro:"backoffFactor" json:"backoffFactor"`

	// Default of the option, as in Task.
	BackoffCapMs int32 `avro:"backoffCapMs" json:"backoffCapMs"`

	// Default of the option, as in Task.
	NotRetryable []string `avro:"notRetryable" json:"notRetryable"`

	// Default of the option, as in Task.
	TimeoutMs int32 `avro:"timeoutMs" json:"timeoutMs"`

	// Default of the option.
	Priority string `avro:"priority" json:"priority"`

	// The process that registered it.
	WorkerID string `avro:"workerId" json:"workerId"`

	// This record: a UUIDv7.
	EventID string `avro:"eventId" json:"eventId"`

	// When it happened, by the clock of its writer.
	OccurredAt int64 `avro:"occurredAt" json:"occurredAt"`
}

// TypePaused: Workers stop fetching the type; what runs ends. Written to taskflow.control (key: the type's name, which TypeResumed shares, so that the last of the two remains).
type TypePaused struct {
	// The task type.
	Type string `avro:"type" json:"type"`

	// This record: a UUIDv7.
	EventID string `avro:"eventId" json:"eventId"`

	// The words of whoever paused it; null where none were given.
	Reason *string `avro:"reason" json:"reason"`

	// The user who paused it; null for the system.
	Actor *string `avro:"actor" json:"actor"`

	// When it happened, by the clock of its writer.
	OccurredAt int64 `avro:"occurredAt" json:"occurredAt"`
}

// TypeResumed: Workers fetch the type again. Written to taskflow.control (key: the type's name).
type TypeResumed struct {
	// The task type.
	Type string `avro:"type" json:"type"`

	// This record: a UUIDv7.
	EventID string `avro:"eventId" json:"eventId"`

	// The words of whoever resumed it; null where none were given.
	Reason *string `avro:"reason" json:"reason"`

	// The user who resumed it; null for the system.
	Actor *string `avro:"actor" json:"actor"`

	// When it happened, by the clock of its writer.
	OccurredAt int64 `avro:"occurredAt" json:"occurredAt"`
}

// RecordName tells the records apart.
func (*PoisonRecord) RecordName() RecordName { return NamePoisonRecord }

// RecordName tells the records apart.
func (*TaskCancelRequested) RecordName() RecordName { return NameTaskCancelRequested }

// RecordName tells the records apart.
func (*TaskCancelled) RecordName() RecordName { return NameTaskCancelled }

// RecordName tells the records apart.
func (*TaskFailed) RecordName() RecordName { return NameTaskFailed }

// RecordName tells the records apart.
func (*TaskHeartbeat) RecordName() RecordName { return NameTaskHeartbeat }

// RecordName tells the records apart.
func (*TaskLogLine) RecordName() RecordName { return NameTaskLogLine }

// RecordName tells the records apart.
func (*TaskQueued) RecordName() RecordName { return NameTaskQueued }

// RecordName tells the records apart.
func (*TaskRetryScheduled) RecordName() RecordName { return NameTaskRetryScheduled }

// RecordName tells the records apart.
func (*TaskScheduled) RecordName() RecordName { return NameTaskScheduled }

// RecordName tells the records apart.
func (*TaskStarted) RecordName() RecordName { return NameTaskStarted }

// RecordName tells the records apart.
func (*TaskSucceeded) RecordName() RecordName { return NameTaskSucceeded }

// RecordName tells the records apart.
func (*TaskTypeRegistered) RecordName() RecordName { return NameTaskTypeRegistered }

// RecordName tells the records apart.
func (*TypePaused) RecordName() RecordName { return NameTypePaused }

// RecordName tells the records apart.
func (*TypeResumed) RecordName() RecordName { return NameTypeResumed }

// newRecord gives an empty record to decode into; nil for a name that is none.
func newRecord(name RecordName) Record {
	switch name {
	case NamePoisonRecord:
		return &PoisonRecord{}
	case NameTaskCancelRequested:
		return &TaskCancelRequested{}
	case NameTaskCancelled:
		return &TaskCancelled{}
	case NameTaskFailed:
		return &TaskFailed{}
	case NameTaskHeartbeat:
		return &TaskHeartbeat{}
	case NameTaskLogLine:
		return &TaskLogLine{}
	case NameTaskQueued:
		return &TaskQueued{}
	case NameTaskRetryScheduled:
		return &TaskRetryScheduled{}
	case NameTaskScheduled:
		return &TaskScheduled{}
	case NameTaskStarted:
		return &TaskStarted{}
	case NameTaskSucceeded:
		return &TaskSucceeded{}
	case NameTaskTypeRegistered:
		return &TaskTypeRegistered{}
	case NameTypePaused:
		return &TypePaused{}
	case NameTypeResumed:
		return &TypeResumed{}
	}
	return nil
}
