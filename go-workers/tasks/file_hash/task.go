// Package file_hash is a task type that reads a file by its URL or out of the blob store, however long, and gives its hashes.
package file_hash

import (
	"context"
	_ "embed"
	"io"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

//go:embed payload.schema.json
var payloadSchema string

// A Payload says what to hash: URL or Blob names it.
type Payload struct {
	URL  string `json:"url"`
	Blob string `json:"blob"`
	// Algorithms: sha256 alone where none are named.
	Algorithms []string `json:"algorithms"`
}

// A Result is what was read.
type Result struct {
	// URL is where the file came from, after redirects; null where it was a blob.
	URL *string `json:"url"`
	// Blob is the reference that it came by; null where it was fetched.
	Blob *string `json:"blob"`
	// ContentType as the server or the uploader states it; null where neither does.
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
	result, file, fileSize, err := open(ctx, job)
	if err != nil {
		return Result{}, err
	}
	defer file.Close()
	job.Log.Info("The file is being read", "size", fileSize, "algorithms", algorithms)
	hashes, size, err := digest(ctx, file, algorithms, func(bytes int64) {
		if fileSize > 0 {
			job.Progress(float64(bytes)/float64(fileSize), "hashing")
		}
	})
	if err != nil {
		return Result{}, err
	}
	took := time.Since(began)
	result.Size, result.Hashes, result.DurationMs = size, hashes, took.Milliseconds()
	result.BytesPerSecond = int64(float64(size) / max(took.Seconds(), 1e-6))
	job.Log.Info("The file is hashed", "size", size, "bytesPerSecond", result.BytesPerSecond)
	return result, nil
}

// open gives the file with what is known of it; its size is -1 where nobody says it.
func open(ctx context.Context, job task.Job[Payload]) (known Result, file io.ReadCloser, size int64, err error) {
	if ref := job.Payload.Blob; ref != "" {
		blob, err := job.Blobs.Open(ctx, ref)
		if err != nil {
			return Result{}, nil, 0, err
		}
		return Result{Blob: &ref, ContentType: &blob.ContentType}, blob.Body, blob.Size, nil
	}
	fetched, err := job.Fetch.Get(ctx, job.Payload.URL)
	if err != nil {
		return Result{}, nil, 0, err
	}
	known = Result{URL: &fetched.URL}
	if fetched.ContentType != "" {
		known.ContentType = &fetched.ContentType
	}
	return known, fetched.Body, fetched.Size, nil
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
