package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafka"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/logreader"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/registry"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/topics"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func topicSettings(c config.Config) topics.Settings {
	return topics.Settings{
		EventsPartitions: c.EventsPartitions, QueuePartitions: c.QueuePartitions, ReplicationFactor: c.ReplicationFactor,
		MinInSyncReplicas: c.MinInSyncReplicas, RetentionMs: c.RetentionMs,
		Lock: time.Duration(c.Protocol.LockMs) * time.Millisecond, MaxLocks: int(c.Protocol.MaxRecordLocks),
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

// openControl reads what is cancelled and paused, before anything is fetched.
func openControl(
	ctx context.Context, cluster *kafka.Cluster, reader *logreader.Reader, schemasOf *registry.Registry, logger *slog.Logger,
) (*Control, error) {
	client, err := cluster.NewClient(controlOptions()...)
	if err != nil {
		return nil, err
	}
	control, err := followControl(ctx, client, reader, decoder(schemasOf.Codec, schemasOf.Learn), logger)
	if err != nil {
		client.Close()
	}
	return control, err
}

// openTypes makes the topics of the types and joins their groups, all at once. Together with an error it gives what it has opened.
func openTypes(
	ctx context.Context, c config.Config, cluster *kafka.Cluster, reader *logreader.Reader, definitions []*task.Definition,
	logger *slog.Logger,
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
			types[i].Queues, errs[i] = openQueues(ctx, cluster, reader, definition.Type, logger)
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

func openQueues(
	ctx context.Context, cluster *kafka.Cluster, reader *logreader.Reader, taskType string, logger *slog.Logger,
) (*Queues, error) {
	joined := newQueues()
	queues := make([]*sharequeue.Queue, len(schemas.Priorities))
	errs := make([]error, len(queues))
	var opening sync.WaitGroup
	for i, priority := range schemas.Priorities {
		opening.Go(func() {
			source := &factSource{
				client: cluster.Client, reader: reader, logger: logger, group: schemas.ShareGroup(taskType, priority),
				topic: schemas.QueueTopic(taskType, priority), eventsTopic: schemas.EventsTopic(taskType, priority),
			}
			queues[i], errs[i] = sharequeue.Open(ctx, sharequeue.Config{
				Client: cluster.Client, Options: cluster.Options, Dial: cluster.Dial,
				Topic: source.topic, Group: source.group, BatchRecords: schemas.QueueBatchRecords, Logger: logger,
				OnSessionOpened: func(hold *sharequeue.Hold) { joined.sessionOpened(source, hold) },
				OnSessionLost: func(hold *sharequeue.Hold, reason error) {
					logger.Warn("a session of a queue was lost", "topic", hold.Topic, "partition", hold.Partition, "reason", reason)
					joined.sessionLost(hold)
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
	joined.join(byPriority)
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
