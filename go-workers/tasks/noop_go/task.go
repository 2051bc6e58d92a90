// Package noop_go is a task type that does nothing, as told: for tests and benchmarks.
package noop_go

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

//go:embed payload.schema.json
var payloadSchema string

// Task takes any object: fields that it does not know are ignored. A map, because encoding/json takes keys of a struct in any case.
var Task = task.Define(task.Spec[map[string]json.RawMessage, json.RawMessage]{
	Type:          "noop_go",
	Version:       1,
	PayloadSchema: payloadSchema,
	ResultSchema:  "{}",
	Inline:        true,
	Slots:         1_000,
	TestOnly:      true,
	Run:           run,
})

func run(ctx context.Context, job task.Job[map[string]json.RawMessage]) (json.RawMessage, error) {
	if text, ok := job.Payload["sleepMs"]; ok {
		var ms float64
		if err := json.Unmarshal(text, &ms); err != nil {
			return nil, err
		}
		timer := time.NewTimer(time.Duration(ms * float64(time.Millisecond)))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if text, ok := job.Payload["fail"]; ok {
		var code string
		failTimes := math.Inf(1)
		if err := json.Unmarshal(text, &code); err != nil {
			return nil, err
		}
		if text, ok := job.Payload["failTimes"]; ok {
			if err := json.Unmarshal(text, &failTimes); err != nil {
				return nil, err
			}
		}
		if float64(job.Attempt) <= failTimes {
			return nil, &task.Error{Code: code, Message: fmt.Sprintf("Attempt %d fails as asked", job.Attempt)}
		}
	}
	if echo, ok := job.Payload["echo"]; ok {
		return echo, nil
	}
	return json.RawMessage("null"), nil
}
