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
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/catalogue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/grpcserver"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafka"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/registry"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/status"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/topics"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	maxLogLinesPending = 20_000
	closeTimeout       = time.Second
)

var errStarting = errors.New("starting")

// Run is a worker process: it runs these types until ctx ends, and returns when all that it can bring to an end has come to it.
func Run(ctx context.Context, c config.Config, types []*task.Definition, logger *slog.Logger) (err error) {
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
	cluster, err := kafka.Connect(ctx, c, logger)
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

	values := protocol.Defaults
	values.RenewEveryMs, values.LockMs, values.LeaseMs = c.LockRenew.Milliseconds(), 3*c.LockRenew.Milliseconds(), c.Lease.Milliseconds()
	workerID := fmt.Sprintf("%s.%d.%s", c.WorkerName, os.Getpid(), randomSuffix())
	options := Options{
		WorkerID: workerID, Appender: events, LogAppender: lines, Codec: schemasOf.Codec, Learn: schemasOf.Learn,
		Fetch: safefetch.New(safefetch.Config{Allow: c.FetchAllow}), Values: values, Grace: c.Grace,
		Metrics: NewMetrics(metricsRegistry), Logger: logger,
	}
	// It begins to stop when ctx ends, and so at the same time as the worker.
	direct, err := grpcserver.Start(ctx, grpcserver.Options{
		Address: c.GRPCAddr, WorkerID: workerID, Types: types, Run: previewer(options.Fetch), Ready: server.Ready,
		Slots: c.PreviewSlots, Grace: c.Grace, Registerer: metricsRegistry, Logger: logger,
	})
	if err != nil {
		return err
	}
	stops = append(stops, direct.Stop)
	options.Types, err = openTypes(ctx, c, cluster, types, logger)
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
	<-ctx.Done()
	return nil
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

func topicSettings(c config.Config) topics.Settings {
	return topics.Settings{
		EventsPartitions: c.EventsPartitions, QueuePartitions: c.QueuePartitions, ReplicationFactor: c.ReplicationFactor,
		MinInSyncReplicas: c.MinInSyncReplicas, RetentionMs: c.RetentionMs, Lock: 3 * c.LockRenew,
	}
}

func newAppender(cluster *kafka.Cluster, options appender.Options) (*appender.Appender, func(), error) {
	client, err := cluster.NewClient(appender.ClientOptions()...)
	if err != nil {
		return nil, nil, err
	}
	appender := appender.New(client, options)
	// Outcomes were flushed before; what is still under way belongs to a broker that is away, so the client goes first.
	return appender, func() { client.Close(); appender.Close() }, nil
}

// openTypes makes the topics of the types and joins their groups, all at once. Together with an error it gives what it has opened.
func openTypes(
	ctx context.Context, c config.Config, cluster *kafka.Cluster, definitions []*task.Definition, logger *slog.Logger,
) (opened []Type, err error) {
	types := make([]Type, len(definitions))
	errs := make([]error, len(definitions))
	var opening sync.WaitGroup
	for i, definition := range definitions {
		opening.Go(func() {
			if errs[i] = topics.Ensure(ctx, cluster.Client, definition.Type, topicSettings(c), logger); errs[i] != nil {
				return
			}
			types[i] = Type{Definition: definition, Slots: slotsOf(definition, c)}
			types[i].Queues, errs[i] = openQueues(ctx, cluster, definition.Type, logger)
		})
	}
	opening.Wait()
	for _, one := range types {
		if one.Queues != nil {
			opened = append(opened, one)
		}
	}
	return opened, errors.Join(errs...)
}

func openQueues(ctx context.Context, cluster *kafka.Cluster, taskType string, logger *slog.Logger) (*Queues, error) {
	queues := make([]*sharequeue.Queue, len(schemas.Priorities))
	errs := make([]error, len(queues))
	var opening sync.WaitGroup
	for i, priority := range schemas.Priorities {
		opening.Go(func() {
			queues[i], errs[i] = sharequeue.Open(ctx, sharequeue.Config{
				Client: cluster.Client, Options: cluster.Options, Dial: cluster.Dial,
				Topic: schemas.QueueTopic(taskType, priority), Group: schemas.ShareGroup(taskType, priority), Logger: logger,
				OnSessionLost: func(hold *sharequeue.Hold, reason error) {
					// PROTOCOL.md, "Hand-over": here what runs is to be handed over at once. Until then it runs on; the record is handed
					// out again, and the first end counts.
					logger.Warn("a session of a queue was lost", "topic", hold.Topic, "partition", hold.Partition, "reason", reason)
				},
			})
		})
	}
	opening.Wait()
	byPriority := map[string]*sharequeue.Queue{}
	for i, queue := range queues {
		if queue != nil {
			byPriority[schemas.Priorities[i]] = queue
		}
	}
	joined := NewQueues(byPriority)
	if err := errors.Join(errs...); err != nil {
		joined.close()
		return nil, fmt.Errorf("queues of %s: %w", taskType, err)
	}
	return joined, nil
}

// facts asks for the broker's clock (the append time of the newest registration, which has just been written) and the partitions of
// the tasks' log.
func facts(ctx context.Context, client *kgo.Client) (brokerTime int64, logPartitions int32, err error) {
	metadata := kmsg.NewPtrMetadataRequest()
	name := schemas.LogsTopic
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	metadata.Topics = append(metadata.Topics, topic)
	described, err := metadata.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(described.Topics[0].ErrorCode)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("topic %s: %w", name, err)
	}
	offsets := kmsg.NewPtrListOffsetsRequest()
	types := kmsg.NewListOffsetsRequestTopic()
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Timestamp = -3 // the record with the greatest time stamp
	types.Topic, types.Partitions = schemas.TypesTopic, append(types.Partitions, partition)
	offsets.Topics = append(offsets.Topics, types)
	newest, err := offsets.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(newest.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("the broker's time: %w", err)
	}
	return newest.Topics[0].Partitions[0].Timestamp, int32(len(described.Topics[0].Partitions)), nil
}

// randomSuffix tells two processes of one name and pid apart.
func randomSuffix() string {
	text := strconv.FormatUint(uint64(rand.Uint32()), 36)
	return ("0000" + text)[len(text):]
}
