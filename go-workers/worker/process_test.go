package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/worker"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// workerProcess is what the test binary does where it is told to be a worker. It stops as a worker does.
func workerProcess() {
	c, err := config.Read(os.Getenv)
	if err == nil {
		f := &fixture{taskType: os.Getenv("GO_WORKER_OF_A_TEST")}
		ctx, cancel := context.WithCancel(context.Background())
		go stopOnSignal(cancel)
		err = worker.Run(ctx, c, []*task.Definition{f.define(handler)}, kafkatest.Logger())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A process is a worker of its own, which a test may kill, freeze or stop.
type process struct {
	*exec.Cmd
	name  string
	ended chan struct{}
}

// startProcess runs a worker as a process of its own.
func (f *fixture) startProcess(name string, environment ...string) *process {
	f.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), "GO_WORKER_OF_A_TEST="+f.taskType, "TASKFLOW_WORKER_NAME="+name,
		"TASKFLOW_KAFKA_BROKERS="+strings.Join(f.brokers, ","), "TASKFLOW_REGISTRY_URL="+f.registry)
	program.Env = append(program.Env, environment...)
	program.Stderr = f.Output()
	if err := program.Start(); err != nil {
		f.Fatal(err)
	}
	started := &process{program, name, make(chan struct{})}
	go func() {
		_ = program.Wait()
		close(started.ended)
	}()
	f.Cleanup(func() {
		_ = program.Process.Kill()
		<-started.ended
	})
	return started
}

func (p *process) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// A gate holds handlers until it is opened, in whatever process they run.
type gate struct {
	t    testing.TB
	path string
}

func newGate(t testing.TB) gate { return gate{t, filepath.Join(t.TempDir(), "open")} }

// payload of a task that waits at the gate, and then does so.
func (g gate) payload(do string) string {
	path, _ := json.Marshal(g.path)
	return fmt.Sprintf(`{"do":%q,"value":%s}`, do, path)
}

func (g gate) open() {
	if err := os.WriteFile(g.path, nil, 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func passGate(ctx context.Context, job task.Job[payload]) (any, error) {
	var path string
	if err := json.Unmarshal(job.Payload.Value, &path); err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(path); err == nil {
			break
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if job.Payload.Do == "gate-fail" {
		return nil, errors.New("as asked")
	}
	return "passed", nil
}

// startsOf gives the names of the workers that started a task, in order.
func (f *fixture) startsOf(taskID string) []string {
	var workers []string
	for _, event := range f.of(taskID) {
		if event.RecordName() == schemas.NameTaskStarted {
			name, _, _ := strings.Cut(event.EventHead().WorkerID, ".")
			workers = append(workers, name)
		}
	}
	return workers
}

// handedOver counts the hand-overs of a task.
func (f *fixture) handedOver(taskID string) (count int) {
	for _, event := range f.of(taskID) {
		if heartbeat, ok := event.(*schemas.TaskHeartbeat); ok && heartbeat.Task != nil {
			count++
		}
	}
	return count
}

// ends gives the ends of a task that the log has, whether they count or not.
func (f *fixture) ends(taskID string) (ends []schemas.RecordName) {
	for _, event := range f.of(taskID) {
		if name := event.RecordName(); schemas.StatusOf(name).Ended() {
			ends = append(ends, name)
		}
	}
	return ends
}

// untilStarted waits for so many starts.
func (f *fixture) untilStarted(taskID string, count int) {
	f.Helper()
	kafkatest.Until(f, fmt.Sprintf("task %s has %d starts", taskID, count), func() bool { return len(f.startsOf(taskID)) >= count })
}

// many tasks, over all partitions of the events.
func (f *fixture) many(count int, payload string, adjust ...func(*schemas.TaskQueued)) []*schemas.TaskQueued {
	var all []*schemas.TaskQueued
	for i := range count {
		all = append(all, f.queued(payload, append(slices.Clone(adjust), func(event *schemas.TaskQueued) {
			event.EventsPartition = int32(i % 3)
		})...))
	}
	return all
}

// report prints how often tasks were started, and fails where one has not exactly one end.
func (f *fixture) report(what string, tasks []*schemas.TaskQueued) {
	f.Helper()
	histogram := map[int]int{}
	for _, event := range tasks {
		f.end(event.TaskID)
		histogram[len(f.startsOf(event.TaskID))]++
		if ends := f.ends(event.TaskID); len(ends) != 1 {
			f.Errorf("%s: task %s has the ends %v, started by %v", what, event.TaskID, ends, f.startsOf(event.TaskID))
		}
	}
	f.Logf("%s: starts per task (starts: tasks) %v", what, histogram)
}

// untilTakenBy waits until a worker has taken a task.
func (f *fixture) untilTakenBy(name string) {
	f.Helper()
	kafkatest.Until(f, name+" takes tasks", func() bool {
		event := f.queued(`{"do":"echo"}`)
		f.submit(event)
		f.end(event.TaskID)
		return slices.Contains(f.startsOf(event.TaskID), name)
	})
}
