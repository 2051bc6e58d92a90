package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/grpcserver"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// previewer runs a handler as a first attempt runs it, with the same rules for results and errors, but without a task: what it logs,
// reports and stores goes nowhere. Of a result that is a file there are the figures alone.
func previewer(fetch *safefetch.Client, store *blobs.Store) grpcserver.Run {
	return func(ctx context.Context, definition *task.Definition, payload []byte, userID string) (string, *schemas.TaskError) {
		result, err := definition.Run(ctx, payload, task.Setting{
			TaskID: newEventID(time.Now()), UserID: userID, Attempt: 1,
			Log: slog.New(slog.DiscardHandler), Progress: func(float64, string) {}, Fetch: fetch, Blobs: store.Preview(userID),
		})
		if err != nil {
			failure := failureOf(err)
			return "", &failure
		}
		return resultText(result)
	}
}
