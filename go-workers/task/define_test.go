package task_test

import (
	"context"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task/tasktest"
)

// The example of docs/task-types.md.

type Payload struct {
	Text string `json:"text"`
}

type Result struct {
	Words int `json:"words"`
}

var Task = task.Define(task.Spec[Payload, Result]{
	Type: "word_count", Version: 1, Inline: true,
	Run: func(_ context.Context, job task.Job[Payload]) (Result, error) {
		return Result{Words: len(strings.Fields(job.Payload.Text))}, nil
	},
})

func TestTheExampleOfTheDocumentation(t *testing.T) {
	result, err := tasktest.Run(t, t.Context(), Task, Payload{"one two"}, tasktest.Options{})
	if err != nil || result != (Result{2}) {
		t.Errorf("the result is %v, %v", result, err)
	}
	tasktest.HoldSchema(t, Task, []string{`{"text":""}`}, []string{`{}`, `{"text":1}`, `{"text":"a","more":1}`, `{"Text":"a"}`, `null`, `[]`})
}

func TestDefineRefusesWhatCouldNotWork(t *testing.T) {
	run := func(context.Context, task.Job[Payload]) (Result, error) { return Result{}, nil }
	for name, spec := range map[string]task.Spec[Payload, Result]{
		"upper case":    {Type: "Word", Version: 1, Run: run},
		"no version":    {Type: "word", Run: run},
		"no handler":    {Type: "word", Version: 1},
		"error code":    {Type: "word", Version: 1, Run: run, Errors: map[string]string{"bad": ""}},
		"broken schema": {Type: "word", Version: 1, Run: run, PayloadSchema: `{"type":`},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", name)
				}
			}()
			task.Define(spec)
		}()
	}
}
