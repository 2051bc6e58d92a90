package worker

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

type figures struct {
	Size int64 `json:"size"`
	file *task.StoredFile
}

func (f figures) StoredFile() *task.StoredFile { return f.file }

func TestAPreviewRunsAsAFirstAttemptDoes(t *testing.T) {
	store := blobs.New(blobs.Config{URL: "http://127.0.0.1:1", Bucket: "none", MaxBytes: 1_000, KeepDays: 1}) // nobody listens there
	definition := task.Define(task.Spec[map[string]string, any]{
		Type: "example", Version: 1, PayloadSchema: `{"type":"object","required":["do"]}`, ResultSchema: "{}",
		Run: func(ctx context.Context, job task.Job[map[string]string]) (any, error) {
			job.Log.Info("to nobody")
			job.Progress(0.5, "of nothing")
			switch job.Payload["do"] {
			case "fail":
				return nil, &task.Error{Code: "HTTP_STATUS", Message: "404", Final: true, Details: map[string]int{"status": 404}}
			case "error":
				return nil, errors.New("something broke")
			case "deep":
				return json.RawMessage(strings.Repeat("[", 70) + strings.Repeat("]", 70)), nil
			case "dirty":
				return json.RawMessage(`"\u0000"`), nil
			case "file":
				file, err := job.Blobs.Store(ctx, strings.NewReader("12345"), "text/plain")
				if err != nil {
					return nil, err
				}
				return figures{file.Size, file}, nil
			}
			return map[string]any{
				"user": job.UserID, "attempt": job.Attempt, "generation": job.Generation, "hasId": len(job.TaskID) == 36, "fetches": job.Fetch != nil,
			}, nil
		},
	})
	run := previewer(safefetch.New(safefetch.Config{}), store)
	for _, test := range []struct{ do, result, code string }{
		{"say", `{"attempt":1,"fetches":true,"generation":0,"hasId":true,"user":"ann"}`, ""},
		{"file", `{"size":5}`, ""},
		{"dirty", "\"\ufffd\"", ""},
		{"fail", "", "HTTP_STATUS"},
		{"error", "", "HANDLER_ERROR"},
		{"deep", "", "RESULT_INVALID"},
	} {
		result, failure := run(t.Context(), definition, []byte(`{"do":"`+test.do+`"}`), "ann")
		code := ""
		if failure != nil {
			code = failure.Code
		}
		if result != test.result || code != test.code {
			t.Errorf("%s gives %s, %+v", test.do, result, failure)
		}
	}
	if _, failure := run(t.Context(), definition, []byte(`{}`), "ann"); failure == nil || failure.Code != "PAYLOAD_INVALID" {
		t.Errorf("a bad payload: %+v", failure)
	}
}
