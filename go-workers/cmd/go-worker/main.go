// A worker process: takes tasks of the Go task types from Kafka, runs them, and records what became of them.
package main

import (
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks"
	"github.com/taskflow-hub/taskflow-hub/go-workers/worker"
)

func main() { worker.Main(tasks.All...) }
