// A worker of one's own task type: `go run ./examples/word_count` in go-workers.
package main

import (
	"context"
	"strings"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/worker"
)

type payload struct {
	Text string `json:"text"`
}

type result struct {
	Words int `json:"words"`
}

var wordCount = task.Define(task.Spec[payload, result]{
	Type: "word_count", Version: 1, Inline: true,
	Run: func(_ context.Context, job task.Job[payload]) (result, error) {
		job.Log.Info("counting", "bytes", len(job.Payload.Text))
		return result{len(strings.Fields(job.Payload.Text))}, nil
	},
})

func main() { worker.Main(wordCount) }
