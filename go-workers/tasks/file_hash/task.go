// Package file_hash is a task type that reads a file by its URL, however long, and gives its hashes.
package file_hash

import (
	"context"
	_ "embed"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

//go:embed payload.schema.json
var payloadSchema string

// A Payload says what to hash.
type Payload struct {
	URL string `json:"url"`
	// Algorithms: sha256 alone where none are named.
	Algorithms []string `json:"algorithms"`
}

// A Result is what was read.
type Result struct {
	// URL is where the file came from, after redirects.
	URL string `json:"url"`
	// ContentType as the server states it; null where it does not.
	ContentType *string `json:"contentType"`
	// Size in bytes.
	Size int64 `json:"size"`
	// Hashes in hexadecimal, by algorithm.
	Hashes map[string]string `json:"hashes"`
	// DurationMs from the request to the last byte.
	DurationMs int64 `json:"durationMs"`
	// BytesPerSecond over that time.
	BytesPerSecond int64 `json:"bytesPerSecond"`
}

// Task reads with a pause of at most 20 s between two pieces; the attempt's time limit is what bounds the whole.
var Task = task.Define(task.Spec[Payload, Result]{
	Type:          "file_hash",
	Version:       1,
	PayloadSchema: payloadSchema,
	Defaults:      task.Defaults{TimeoutMs: 3_600_000},
	Preview:       preview,
	Run:           run,
})

func run(ctx context.Context, job task.Job[Payload]) (Result, error) {
	began := time.Now()
	algorithms := job.Payload.Algorithms
	if len(algorithms) == 0 {
		algorithms = []string{"sha256"}
	}
	file, err := job.Fetch.Get(ctx, job.Payload.URL)
	if err != nil {
		return Result{}, err
	}
	defer file.Body.Close()
	job.Log.Info("The file is being read", "size", file.Size, "algorithms", algorithms)
	hashes, size, err := digest(ctx, file.Body, algorithms, func(bytes int64) {
		if file.Size > 0 {
			job.Progress(float64(bytes)/float64(file.Size), "hashing")
		}
	})
	if err != nil {
		return Result{}, err
	}
	took := time.Since(began)
	result := Result{
		URL: file.URL, Size: size, Hashes: hashes, DurationMs: took.Milliseconds(),
		BytesPerSecond: int64(float64(size) / max(took.Seconds(), 1e-6)),
	}
	if file.ContentType != "" {
		result.ContentType = &file.ContentType
	}
	job.Log.Info("The file is hashed", "size", size, "bytesPerSecond", result.BytesPerSecond)
	return result, nil
}

func preview(result Result) string {
	if sum, ok := result.Hashes["sha256"]; ok {
		return "sha256 " + sum
	}
	for name, sum := range result.Hashes {
		return name + " " + sum
	}
	return ""
}
