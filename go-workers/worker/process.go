package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/catalogue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/grpcserver"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafka"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/logreader"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/registry"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/status"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

const (
	maxLogLinesPending = 20_000
	closeTimeout       = time.Second
)

var errStarting = errors.New("starting")

// Run is a worker process: it runs these types until ctx ends, and returns when all that it can bring to an end has come to it.
func Run(ctx context.Context, c config.Config, types []*task.Definition, logger *slog.Logger) error {
	return runOver(ctx, kafka.DialerOf(c), c, types, logger)
}

// runOver runs it over a dialer for connections to brokers.
func runOver(
	ctx context.Context, dial sharequeue.Dialer, c config.Config, types []*task.Definition, logger *slog.Logger,
) (err error) {
	var stops []func()
	defer func() {
		for _, stop := range slices.Backward(stops) {
			stop()
		}
	}()
	metricsRegistry := prometheus.NewRegistry()
	metricsRegistry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	server, err := status.Start(c.StatusAddr, metricsRegistry)
	if err != nil {
		return err
	}
	stops = append(stops, server.Stop)
	server.Check("start", func() error { return errStarting })

	types, err = selected(types, c)
	if err != nil {
		return err
	}
	cluster, err := kafka.Connect(ctx, c, dial, logger)
	if err != nil {
		return err
	}
	stops = append(stops, cluster.Client.Close)
	schemasOf, err := registry.Connect(ctx, c.RegistryURL, logger)
	if err != nil {
		return err
	}
	events, stopEvents, err := newAppender(cluster, appender.Options{Logger: logger})
	if err != nil {
		return err
	}
	stops = append(stops, stopEvents)
	lines, stopLines, err := newAppender(cluster, appender.Options{Logger: logger, MaxPending: maxLogLinesPending})
	if err != nil {
		return err
	}
	stops = append(stops, stopLines)

	reader := logreader.New(cluster.Client)
	control, err := openControl(ctx, cluster, reader, schemasOf, logger)
	if err != nil {
		return err
	}
	stops = append(stops, control.close)
	workerID := fmt.Sprintf("%s.%d.%s", c.WorkerName, os.Getpid(), randomSuffix())
	options := Options{
		WorkerID: workerID, Appender: events, LogAppender: lines, Codec: schemasOf.Codec, Learn: schemasOf.Learn,
		Fetch: safefetch.New(safefetch.Config{Allow: c.FetchAllow}), Blobs: blobs.New(c.Blobs), Values: c.Protocol, Grace: c.Grace,
		Control: control, Reader: reader,
		Metrics: NewMetrics(metricsRegistry), Logger: logger,
	}
	// It begins to stop when ctx ends, and so at the same time as the worker.
	direct, err := grpcserver.Start(ctx, grpcserver.Options{
		Address: c.GRPCAddr, WorkerID: workerID, Types: types, Run: previewer(options.Fetch, options.Blobs), Ready: server.Ready,
		Slots: c.PreviewSlots, Grace: c.Grace, Registerer: metricsRegistry, Logger: logger,
	})
	if err != nil {
		return err
	}
	stops = append(stops, direct.Stop)
	options.Types, err = openTypes(ctx, c, cluster, reader, types, logger)
	for _, one := range options.Types {
		stops = append(stops, one.Queues.close)
	}
	if err != nil {
		return err
	}
	// What a submitter finds in the catalogue has queues; its workers are there in a moment.
	if err := catalogue.Register(ctx, types, workerID, newEventID, schemasOf.Codec, events); err != nil {
		return err
	}
	if options.BrokerTime, options.LogPartitions, err = facts(ctx, cluster.Client); err != nil {
		return err
	}
	worker := Start(options)
	stops = append(stops, worker.Stop)
	server.Check("queues", worker.CheckQueues)
	server.Check("progress", worker.CheckProgress)
	server.Check("start", func() error { return nil })
	logger.Info("types are registered", "types", namesOf(types), "workerId", workerID, "statusPort", server.Port, "grpcPort", direct.Port)
	err = worker.untilStuck(ctx, c.StuckExit)
	if err != nil { // nor may the end of a stuck process get stuck
		limit := time.AfterFunc(c.StopTimeout, func() {
			logger.Error("the worker did not stop in time, the process ends", "limit", c.StopTimeout, "error", err)
			os.Exit(1)
		})
		stops = slices.Insert(stops, 0, func() { limit.Stop() })
	}
	return err
}

// selected gives the types that this process runs: those asked for, or all, without the ones for tests where these are switched off.
func selected(all []*task.Definition, c config.Config) ([]*task.Definition, error) {
	var usable, chosen []*task.Definition
	for _, definition := range all {
		if c.TestTypes || !definition.TestOnly {
			usable = append(usable, definition)
		}
	}
	if len(c.TaskTypes) == 0 {
		return usable, nil
	}
	for _, name := range c.TaskTypes {
		at := slices.IndexFunc(usable, func(definition *task.Definition) bool { return definition.Type == name })
		if at < 0 {
			return nil, fmt.Errorf("TASKFLOW_TASK_TYPES names %s; this worker has %v", name, namesOf(usable))
		}
		chosen = append(chosen, usable[at])
	}
	return chosen, nil
}

func namesOf(types []*task.Definition) []string {
	names := make([]string, len(types))
	for i, definition := range types {
		names[i] = definition.Type
	}
	return names
}

// slotsOf a type: as set for it, as set for every type, as its definition says, the cores.
func slotsOf(definition *task.Definition, c config.Config) int {
	switch {
	case c.SlotsByType[definition.Type] > 0:
		return c.SlotsByType[definition.Type]
	case c.SlotsOfEach > 0:
		return c.SlotsOfEach
	case definition.Slots > 0:
		return definition.Slots
	}
	return cores()
}

// randomSuffix tells two processes of one name and pid apart.
func randomSuffix() string {
	text := strconv.FormatUint(uint64(rand.Uint32()), 36)
	return ("0000" + text)[len(text):]
}
