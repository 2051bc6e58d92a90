package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"unicode/utf16"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	// MaxResultBytes is how many a result's JSON text may have to travel in the event. What is larger goes to the blob store first.
	MaxResultBytes = 65_536
	// An error's message is cut to so many UTF-16 units, and details longer than so many are dropped: an event is no place for a page.
	maxMessageUnits = 1_000
	maxDetailsUnits = 16_384
)

// A StoredResult is a result that the blob store has.
type StoredResult struct {
	Ref         string
	Size        int64
	ContentType string
	SHA256      string
	ExpiresAt   int64
}

// An Outcome is how a handler ended: what it returned, as JSON text; bytes that lie in the blob store, with what the type says of them
// (Figures, JSON text) where the bytes are a file; or why it could not.
type Outcome struct {
	Value   string
	Blob    *StoredResult
	Figures *string
	// Preview, where set, is a few words of the value.
	Preview *string
	// Error, where set, is why there is no value.
	Error *schemas.TaskError
}

// OutcomeContext is what an outcome is decided with.
type OutcomeContext struct {
	Stamp
	DurationMs int64
	// ResultStorage is where the type's results go: inline or mongo.
	ResultStorage string
	// ResultTTLMs is how long results are kept; nil: for ever.
	ResultTTLMs *int64
	// Retry, where set, is from 0 to 1 (excluded): where between nothing and its bound the delay of the next attempt lies. Left out,
	// every failure is final: nobody would queue the next attempt as long as no orchestrator runs.
	Retry *float64
}

// DecideOutcome gives the event that ends a run: TaskSucceeded, TaskRetryScheduled or TaskFailed. JSON over the size limit that was not
// stored before is a failure (RESULT_TOO_LARGE).
func DecideOutcome(queued *schemas.TaskQueued, outcome Outcome, context OutcomeContext) schemas.Event {
	if outcome.Error != nil {
		return afterFailure(queued, *outcome.Error, context)
	}
	text := outcome.Value
	if outcome.Blob != nil && outcome.Figures != nil {
		text = *outcome.Figures
	}
	if size := int64(len(text)); size > MaxResultBytes {
		return afterFailure(queued, ResultTooLarge(size, MaxResultBytes), context)
	}
	result := resultOf(queued, outcome, context)
	return &schemas.TaskSucceeded{Head: head(queued.Head, context.Stamp), Result: result, DurationMs: context.DurationMs}
}

// A ResultPlace is where a result goes.
type ResultPlace int

// In the event; in the blob store, before the event is written; nowhere, because it is larger than that is to take.
const (
	InEvent ResultPlace = iota
	InBlob
	Nowhere
)

// PlaceOfResult says where a result goes whose JSON text has so many bytes; maxBlobBytes is what the blob store is to take.
func PlaceOfResult(size, maxBlobBytes int64) ResultPlace {
	switch {
	case size <= MaxResultBytes:
		return InEvent
	case size <= maxBlobBytes:
		return InBlob
	}
	return Nowhere
}

// ResultTooLarge is why a result is not kept.
func ResultTooLarge(size, most int64) schemas.TaskError {
	return schemas.TaskError{Code: "RESULT_TOO_LARGE", Message: fmt.Sprintf("The result has %d bytes; at most %d are kept", size, most)}
}

func resultOf(queued *schemas.TaskQueued, outcome Outcome, context OutcomeContext) schemas.TaskResult {
	if blob := outcome.Blob; blob != nil {
		ttlMs := max(0, blob.ExpiresAt-context.Now)
		return schemas.TaskResult{
			Storage: "s3", Value: outcome.Figures, Ref: &blob.Ref, Preview: outcome.Preview, Size: blob.Size,
			ContentType: blob.ContentType, SHA256: blob.SHA256, TTLMs: &ttlMs,
		}
	}
	result := schemas.TaskResult{
		Storage: context.ResultStorage, Value: &outcome.Value, Preview: outcome.Preview, Size: int64(len(outcome.Value)),
		ContentType: "application/json", TTLMs: context.ResultTTLMs,
	}
	if context.ResultStorage == "mongo" {
		ref := ResultRef(queued.Head, context.WorkerID)
		result.Ref = &ref
	}
	sum := sha256.Sum256([]byte(outcome.Value))
	result.SHA256 = hex.EncodeToString(sum[:])
	return result
}

// ResultRef is the name of a result in its store: <taskId>.<generation>.<attempt>.<workerId>. The run alone decides it, so that
// inserting a result twice is a duplicate key, and of two runs of one attempt neither overwrites the other's.
func ResultRef(run schemas.Head, workerID string) string {
	return fmt.Sprintf("%s.%d.%d.%s", run.TaskID, run.Generation, run.Attempt, workerID)
}

func afterFailure(queued *schemas.TaskQueued, failure schemas.TaskError, context OutcomeContext) schemas.Event {
	failure.Message = cut(failure.Message, maxMessageUnits)
	if failure.Details != nil && len(utf16.Encode([]rune(*failure.Details))) > maxDetailsUnits {
		failure.Details = nil
	}
	delay, again := decideRetry(queued, failure, context.Retry)
	if !again {
		return &schemas.TaskFailed{Head: head(queued.Head, context.Stamp), Error: failure, Failures: queued.Failures + 1}
	}
	return &schemas.TaskRetryScheduled{
		Head: head(queued.Head, context.Stamp), Error: failure, RetryAt: context.Now + delay,
		Failures: queued.Failures + 1, Recoveries: queued.Recoveries, Task: queued.Task,
	}
}

// decideRetry: the task ends where the error is not retryable, its code is among the task's notRetryable, or as many attempts of the
// generation have failed as maxAttempts allows (recovered and released attempts are no failures). Otherwise the next is due
// after a delay drawn between 0 and the backoff's bound (full jitter), so that tasks that failed together don't come back together.
func decideRetry(queued *schemas.TaskQueued, failure schemas.TaskError, random *float64) (delayMs int64, again bool) {
	failures := queued.Failures + 1
	if random == nil || !failure.Retryable || slices.Contains(queued.Task.NotRetryable, failure.Code) || failures >= queued.Task.MaxAttempts {
		return 0, false
	}
	return int64(math.Floor(*random * backoffBoundMs(&queued.Task, failures))), true
}

// backoffBoundMs is the longest delay before the attempt that follows so many failures (1 or more): base · factor^(failures − 1), at
// most the cap.
func backoffBoundMs(task *schemas.Task, failures int32) float64 {
	if task.BackoffBaseMs == 0 { // 0 times an overflow to infinity would be no number
		return 0
	}
	return min(float64(task.BackoffCapMs), float64(task.BackoffBaseMs)*math.Pow(task.BackoffFactor, float64(failures-1)))
}

// cut shortens a text to so many UTF-16 units. Half of a pair at the cut becomes U+FFFD, as elsewhere.
func cut(text string, units int) string {
	if len(text) <= units {
		return text
	}
	encoded := utf16.Encode([]rune(text))
	if len(encoded) <= units {
		return text
	}
	return string(utf16.Decode(encoded[:units]))
}
