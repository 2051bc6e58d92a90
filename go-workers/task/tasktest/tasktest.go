// Package tasktest runs handlers in tests: as the worker does, payload checked, without a queue.
package tasktest

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

// UserID is the owner of every job here.
const UserID = "00000000-0000-4000-8000-000000000001"

// Options of a run. All may be left out.
type Options struct {
	// Attempt is 1 unless set.
	Attempt int
	// Progress is told what the handler reports.
	Progress func(fraction float64, note string)
	// AllowHosts are what the job may fetch from, as in TASKFLOW_FETCH_ALLOW; nothing private by default.
	AllowHosts string
	// Blobs is the store that the job sees; one that does not answer by default.
	Blobs *blobs.Store
}

// Run calls a handler with a payload (anything that JSON can be made of), and gives what it returns.
func Run(t testing.TB, ctx context.Context, definition *task.Definition, payload any, options Options) (any, error) {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	allow, err := safefetch.ParseAllowList(options.AllowHosts)
	if err != nil {
		t.Fatal(err)
	}
	if options.Progress == nil {
		options.Progress = func(float64, string) {}
	}
	return definition.Run(ctx, text, task.Setting{
		TaskID: "01890000-0000-7000-8000-000000000001", UserID: UserID,
		Attempt: max(1, options.Attempt), Log: slog.New(slog.DiscardHandler), Progress: options.Progress,
		Fetch: safefetch.New(safefetch.Config{Allow: allow}), Blobs: options.Blobs.Of(UserID),
	})
}

// HoldSchema sees that a type's published schema takes the accepted examples, which its decoder must take too, and refuses the
// others. Examples are JSON text.
func HoldSchema(t *testing.T, definition *task.Definition, accepted, refused []string) {
	t.Helper()
	for _, example := range accepted {
		if err := definition.Check([]byte(example)); err != nil {
			t.Errorf("%s should be accepted: %v", example, err)
		}
	}
	for _, example := range refused {
		if err := definition.Check([]byte(example)); err == nil {
			t.Errorf("%s should be refused", example)
		}
	}
}
