package noop_go_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task/tasktest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks/noop_go"
)

func TestSchema(t *testing.T) {
	tasktest.HoldSchema(t, noop_go.Task, []string{
		`{}`, `{"echo":{"deep":[1,null,"x"]}}`, `{"echo":null,"sleepMs":0.5}`,
		`{"sleepMs":86400000,"fail":"HTTP_STATUS","failTimes":2}`, `{"anything":"else","SLEEPMS":"x"}`,
	}, []string{
		`null`, `[]`, `"text"`, `{"sleepMs":-1}`, `{"sleepMs":"10"}`, `{"sleepMs":86400001}`, `{"fail":"lower_case"}`, `{"fail":""}`,
		`{"failTimes":1.5}`, `{"failTimes":-1}`, `{`,
	})
}

func TestEcho(t *testing.T) {
	for payload, want := range map[string]string{
		`{}`: `null`, `{"echo":[1,{"a":null}]}`: `[1,{"a":null}]`, `{"echo":false,"sleepMs":1}`: `false`,
	} {
		result, err := tasktest.Run(t, t.Context(), noop_go.Task, json.RawMessage(payload), tasktest.Options{})
		if err != nil || string(result.(json.RawMessage)) != want {
			t.Errorf("%s gives %s, %v", payload, result, err)
		}
	}
}

func TestFailsAsAsked(t *testing.T) {
	for _, test := range []struct {
		payload string
		attempt int
		code    string
	}{
		{`{"fail":"HTTP_STATUS"}`, 7, "HTTP_STATUS"}, {`{"fail":"MINE","failTimes":2,"sleepMs":1}`, 2, "MINE"}, {`{"fail":"MINE","failTimes":2}`, 3, ""},
	} {
		_, err := tasktest.Run(t, t.Context(), noop_go.Task, json.RawMessage(test.payload), tasktest.Options{Attempt: test.attempt})
		var failure *task.Error
		code := ""
		if errors.As(err, &failure) && !failure.Final {
			code = failure.Code
		}
		if code != test.code {
			t.Errorf("attempt %d of %s: %v", test.attempt, test.payload, err)
		}
	}
}

func TestWakesWhenItsAttemptEnds(t *testing.T) {
	reason := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, err := tasktest.Run(t, ctx, noop_go.Task, map[string]int{"sleepMs": 60_000}, tasktest.Options{}); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}
