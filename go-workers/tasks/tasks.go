// Package tasks lists the task types of this repository's Go worker: a folder each, and a line here.
package tasks

import (
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks/file_hash"
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks/img_compress"
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks/noop_go"
)

// All types, sorted by name.
var All = []*task.Definition{
	file_hash.Task,
	img_compress.Task,
	noop_go.Task,
}
