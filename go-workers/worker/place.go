package worker

import (
	"strings"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

// placed puts a result where it belongs: a file is stored already, and what is too large for an event goes to the blob store.
func (r *run) placed(result any, text string) protocol.Outcome {
	store := r.lane.worker.options.Blobs
	if file, ok := result.(task.FileResult); ok && file.StoredFile() != nil {
		return protocol.Outcome{Blob: storedResult(file.StoredFile()), Figures: &text}
	}
	switch size := int64(len(text)); protocol.PlaceOfResult(size, store.MaxBytes()) {
	case protocol.InBlob:
		stored, err := store.Put(r.ctx, strings.NewReader(text), r.queued.UserID, "application/json")
		if err != nil {
			failure := failureOf(err)
			return protocol.Outcome{Error: &failure}
		}
		return protocol.Outcome{Blob: storedResult(stored)}
	case protocol.Nowhere:
		failure := protocol.ResultTooLarge(size, store.MaxBytes())
		return protocol.Outcome{Error: &failure}
	}
	return protocol.Outcome{Value: text}
}

func storedResult(stored *blobs.Stored) *protocol.StoredResult {
	return &protocol.StoredResult{
		Ref: stored.Ref, Size: stored.Size, ContentType: stored.ContentType, SHA256: stored.SHA256, ExpiresAt: stored.ExpiresAt.UnixMilli(),
	}
}
