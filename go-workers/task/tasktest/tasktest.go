// Package tasktest runs handlers in tests: as the worker does, payload checked, but without a queue. What surrounds a handler is made
// up: the test says which attempt it is, what it may fetch, when its context ends, and looks at what it has said.
package tasktest

import (
	"context"
	"encoding/json"
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
	// Generation counts redrives, 0 at first.
	Generation int
	// Progress is told what the handler reports.
	Progress func(fraction float64, note string)
	// Said keeps what the handler logs, and what it reports.
	Said *Said
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
	if options.Said == nil {
		options.Said = new(Said)
	}
	progress := func(fraction float64, note string) {
		options.Said.report(fraction, note)
		if options.Progress != nil {
			options.Progress(fraction, note)
		}
	}
	return definition.Run(ctx, text, task.Setting{
		TaskID: "01890000-0000-7000-8000-000000000001", UserID: UserID, Generation: options.Generation,
		Attempt: max(1, options.Attempt), Log: options.Said.logger(), Progress: progress,
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
