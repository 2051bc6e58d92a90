// Package catalogue writes the types that a process runs to taskflow.types, where the api finds them.
package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// Registration is what the catalogue says of a type. What the type leaves open has the platform's default.
func Registration(definition *task.Definition, workerID, eventID string, now time.Time) *schemas.TaskTypeRegistered {
	defaults := definition.Defaults
	registered := &schemas.TaskTypeRegistered{
		Type: definition.Type, Version: int32(definition.Version), Runtime: "go",
		PayloadSchema: definition.PayloadSchema, ResultSchema: definition.ResultSchema, ResultStorage: "mongo", Takeover: "at-once",
		MaxAttempts: or(defaults.MaxAttempts, 3), BackoffBaseMs: or(defaults.BackoffBaseMs, 1_000), BackoffFactor: or(defaults.BackoffFactor, 2),
		BackoffCapMs: or(defaults.BackoffCapMs, 300_000), NotRetryable: defaults.NotRetryable, TimeoutMs: or(defaults.TimeoutMs, 30_000),
		Priority: "normal", WorkerID: workerID, EventID: eventID, OccurredAt: now.UnixMilli(),
	}
	if definition.Inline {
		registered.ResultStorage = "inline"
	}
	if definition.TakeoverAfterLease {
		registered.Takeover = "after-lease"
	}
	return registered
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Register writes the types, and returns when they are on the log.
func Register(
	ctx context.Context, definitions []*task.Definition, workerID string, newEventID func(time.Time) string,
	codec *schemas.Codec, to *appender.Appender,
) error {
	records := make([]*appender.Record, len(definitions))
	for i, definition := range definitions {
		now := time.Now()
		value, err := codec.Encode(Registration(definition, workerID, newEventID(now), now))
		if err != nil {
			return fmt.Errorf("registration of type %s: %w", definition.Type, err)
		}
		records[i] = &appender.Record{Topic: schemas.TypesTopic, Key: definition.Type, Value: value}
	}
	if err := to.AppendAndWait(ctx, records...); err != nil {
		return fmt.Errorf("registration of types: %w", err)
	}
	return nil
}
