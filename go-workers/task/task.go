// Package task is what a task type is written with: [Define] declares it, a [Job] is what its handler gets, an [Error] ends an
// attempt with a code of its own.
package task

import (
	"context"
	"log/slog"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

// A Job is one attempt, as its handler sees it.
type Job[P any] struct {
	// Payload is checked against the published schema.
	Payload P
	TaskID  string
	UserID  string
	// Generation counts redrives, 0 at first.
	Generation int
	// Attempt is counted from 1. The same attempt may run twice when a worker dies.
	Attempt int
	// IdempotencyKey is the same for every run and attempt of a generation: give it to services that can drop repeats.
	IdempotencyKey string
	// Log writes lines for the task's own log (GET /tasks/{id}/logs). Bounded for each attempt; what is over the bound is
	// counted and dropped.
	Log *slog.Logger
	// Progress is shown with the task while it runs: how much is done (0 to 1) and a few words, which may be empty. Written at
	// most once a second, so it may be called often.
	Progress func(fraction float64, note string)
	// Fetch is the one way for a task to reach a URL that a user chose: it refuses private addresses.
	Fetch *safefetch.Client
	// Blobs opens what the user has uploaded, and stores files that the task makes: see [FileResult].
	Blobs *blobs.Owned
}

// A StoredFile is a file that a task has made, in the blob store: Job.Blobs.Store gives it.
type StoredFile = blobs.Stored

// A FileResult is a result whose bytes are a stored file: GET /tasks/{id}/result sends the file, and the result as JSON are the figures that
// describe it.
type FileResult interface{ StoredFile() *StoredFile }

// A Spec is what a type is. Type, Version and Run are needed.
type Spec[P, R any] struct {
	// Type is in snake case, the name of the folder, part of topic names: it can never change.
	Type string
	// Version is raised when payload or result change their meaning.
	Version int
	// PayloadSchema is the JSON Schema (2020-12) that is published, and that payloads are held to. It is derived from P where it is
	// empty: fields without omitempty are required, others than P's are refused.
	PayloadSchema string
	// ResultSchema is likewise derived from R.
	ResultSchema string
	Defaults     Defaults
	// Inline results are small and never queried: they stay in the task instead of the result view.
	Inline bool
	// Slots is how many run at once in a process, over all priorities. 0: as many as there are cores, for work that keeps a core
	// busy. TASKFLOW_SLOTS overrides it.
	Slots int
	// TakeoverAfterLease: a run whose worker may be gone is not run again before the end of its lease, because its effects cannot
	// bear a second run. By default it is run again at once.
	TakeoverAfterLease bool
	// Preview gives a few words of a result, for lists.
	Preview func(R) string
	// Errors are the codes of this type's own: code to meaning.
	Errors map[string]string
	// TestOnly: for tests and benchmarks; TASKFLOW_TEST_TYPES=false switches it off.
	TestOnly bool
	// Run does the work. At least once: a run whose worker dies is run again. ctx ends at the attempt's time limit, when the task is
	// cancelled and when the worker stops; a handler that ignores it is abandoned, and its result dropped. An [*Error] ends the attempt with its code,
	// any other error and a panic with HANDLER_ERROR.
	Run func(ctx context.Context, job Job[P]) (R, error)
}

// Defaults of options that a submission may override. What is zero has the platform's default.
type Defaults struct {
	TimeoutMs     int32
	MaxAttempts   int32
	BackoffBaseMs int32
	BackoffFactor float64
	BackoffCapMs  int32
	NotRetryable  []string
}

// An Error ends an attempt with a code of its own, in upper snake case.
type Error = taskerror.Error
