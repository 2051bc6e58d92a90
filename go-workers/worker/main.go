package worker

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
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

// Main is the main function of a worker program: it reads the environment, runs these types until SIGTERM or SIGINT, and brings to an
// end what can be brought to one. It returns once the worker has stopped; with a wrong variable, or a worker that cannot go on,
// it ends the process with code 1.
func Main(types ...*task.Definition) {
	c, err := config.Read(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Little is kept between tasks: collecting when the heap has grown fivefold costs some megabytes and spares a good part of the work.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(256 << 20) // but not beside large images
	logger := newLogger(c)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go stopOnSignal(cancel, c, logger)
	if err := Run(ctx, c, types, logger); err != nil && ctx.Err() == nil {
		logger.Error(c.WorkerName+" could not go on", "error", err)
		os.Exit(1)
	}
	logger.Info(c.WorkerName + " stopped")
}

func stopOnSignal(stop context.CancelFunc, c config.Config, logger *slog.Logger) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	logger.Info(c.WorkerName+" stops", "signal", (<-signals).String())
	stop()
	select {
	case <-signals: // a second signal ends the process at once
	case <-time.After(c.StopTimeout):
		logger.Error("the worker did not stop in time, the process ends", "limit", c.StopTimeout)
	}
	os.Exit(1)
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
