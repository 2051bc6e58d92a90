package task_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

type Payload struct {
	Text string `json:"text"`
}

type Result struct {
	Words int `json:"words"`
}

// The example of docs/task-types.md is the program that its own test runs.
func TestTheExampleOfTheDocumentation(t *testing.T) {
	page := read(t, "../../docs/task-types.md")
	for _, file := range []string{"../examples/word_count/main.go", "../examples/word_count/main_test.go"} {
		if !strings.Contains(page, "```go\n"+read(t, file)+"```\n") {
			t.Errorf("docs/task-types.md does not show %s as it is", file)
		}
	}
	_, code, _ := strings.Cut(read(t, "../examples/word_count/main.go"), "\ntype payload")
	if lines := len(strings.FieldsFunc("type payload"+code, func(r rune) bool { return r == '\n' })); lines >= 20 {
		t.Errorf("the example has %d lines behind its imports", lines)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
