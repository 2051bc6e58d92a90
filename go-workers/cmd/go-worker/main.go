// A worker process: takes tasks of the Go task types from Kafka, runs them, and records what became of them.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks"
	"github.com/taskflow-hub/taskflow-hub/go-workers/worker"
)

func main() {
	c, err := config.Read(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Little is kept between tasks: collecting when the heap has grown fivefold costs some megabytes and spares a good part of the work.
	debug.SetGCPercent(400)
	logger := newLogger(c)
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		logger.Info(c.WorkerName+" stops", "signal", (<-signals).String())
		cancel()
		select {
		case <-signals: // a second signal ends the process at once
		case <-time.After(c.StopTimeout):
			logger.Error("the worker did not stop in time, the process ends", "limit", c.StopTimeout)
		}
		os.Exit(1)
	}()
	if err := worker.Run(ctx, c, tasks.All, logger); err != nil && ctx.Err() == nil {
		logger.Error(c.WorkerName+" could not go on", "error", err)
		os.Exit(1)
	}
	logger.Info(c.WorkerName + " stopped")
}

// newLogger writes one JSON object a line: time, level, service, message, then the fields, as the other services do.
func newLogger(c config.Config) *slog.Logger {
	names := map[string]string{slog.LevelDebug.String(): "debug", slog.LevelInfo.String(): "info", slog.LevelWarn.String(): "warn", slog.LevelError.String(): "error"}
	handler := slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: c.LogLevel, ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case attr.Key == slog.MessageKey:
			attr.Key = "message"
		case attr.Key == slog.LevelKey:
			attr.Value = slog.StringValue(names[attr.Value.String()])
		case attr.Key == slog.TimeKey:
			attr.Value = slog.StringValue(attr.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
		}
		return attr
	}})
	return slog.New(handler).With("service", c.WorkerName)
}
