// A worker process for tests: one type, named by TASKFLOW_TEST_TYPE, whose payloads say what to do. For the rest it is the real
// worker. Where TASKFLOW_TEST_STARTS names a file, each start of the handler adds a line to it: task, attempt, worker's process,
// time. The counterpart of workers/src/testing/workerProgram.ts.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/worker"
)

type payload struct {
	SleepMs int `json:"sleepMs,omitempty"`
	// Gate: runs until this file exists.
	Gate string `json:"gate,omitempty"`
	// Deaf: does not listen to its context.
	Deaf bool   `json:"deaf,omitempty"`
	Log  string `json:"log,omitempty"`
	// FailTimes: error code of the attempts up to this one.
	FailTimes int `json:"failTimes,omitempty"`
	// Poison takes its process with it.
	Poison bool `json:"poison,omitempty"`
}

type result struct {
	Pid int `json:"pid"`
}

func main() {
	c, err := config.Read(os.Getenv)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		err = worker.Run(ctx, c, []*task.Definition{probe()}, slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func probe() *task.Definition {
	return task.Define(task.Spec[payload, result]{
		Type: os.Getenv("TASKFLOW_TEST_TYPE"), Version: 1, Slots: 64,
		TakeoverAfterLease: os.Getenv("TASKFLOW_TEST_TAKEOVER") == "after-lease",
		Run:                run,
	})
}

func run(ctx context.Context, job task.Job[payload]) (result, error) {
	if err := writeDown(job); err != nil {
		return result{}, err
	}
	if job.Payload.Log != "" {
		job.Log.Info(job.Payload.Log)
	}
	if job.Payload.Deaf {
		ctx = context.WithoutCancel(ctx)
	}
	if err := sleep(ctx, time.Duration(job.Payload.SleepMs)*time.Millisecond); err != nil {
		return result{}, err
	}
	if job.Payload.Poison {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	for job.Payload.Gate != "" {
		if _, err := os.Stat(job.Payload.Gate); err == nil {
			break
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return result{}, err
		}
	}
	if job.Attempt <= job.Payload.FailTimes {
		return result{}, &task.Error{Code: "AS_ASKED", Message: fmt.Sprintf("Attempt %d fails", job.Attempt)}
	}
	return result{os.Getpid()}, nil
}

func writeDown(job task.Job[payload]) error {
	path := os.Getenv("TASKFLOW_TEST_STARTS")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "%s %d %d %d\n", job.TaskID, job.Attempt, os.Getpid(), time.Now().UnixMilli())
	return err
}

func sleep(ctx context.Context, duration time.Duration) error {
	select {
	case <-time.After(duration):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
