// Package topics makes what task types need in Kafka: queue and events topics for three priorities, and the configuration of
// their share groups. Names and settings are those of log/src/topics: workers of both languages make the same.
package topics

import (
	"strconv"
	"time"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// Settings of a type's topics and share groups. The zero value of a field stands for its default.
type Settings struct {
	// EventsPartitions: order is kept within a partition; all of a task's events are in one. 3 by default.
	EventsPartitions int
	// QueuePartitions: one (the default) lets every worker of the type see all its work; more where a broker's throughput is the
	// limit.
	QueuePartitions int
	// ReplicationFactor is 1 by default, for the one broker of the embedded stack; 3 elsewhere.
	ReplicationFactor int
	// MinInSyncReplicas is 1 by default. With three replicas 2: one broker may be away.
	MinInSyncReplicas int
	// RetentionMs is for ever by default, and where it is negative. Shorter where an archive takes over.
	RetentionMs int64
	// Lock is how long a record is locked for the worker that has it, unless renewed. 15 s by default.
	Lock time.Duration
	// DeliveryLimit: acquisitions after which a record is archived without a word. 10 by default, the most that a default broker takes.
	DeliveryLimit int
	// MaxLocks is how far a partition may move on beyond its oldest locked record. 10,000 by default.
	MaxLocks int
}

func orDefault[T int | int64 | time.Duration](value, byDefault T) T {
	if value == 0 {
		return byDefault
	}
	return value
}

// A definition is a topic as it shall be.
type definition struct {
	name              string
	partitions        int32
	replicationFactor int16
	config            map[string]string
}

// ofType gives the queue and events topics of a type, for all priorities.
func ofType(taskType string, settings Settings) []definition {
	var all []definition
	for _, priority := range schemas.Priorities {
		all = append(all,
			define(schemas.QueueTopic(taskType, priority), orDefault(settings.QueuePartitions, 1), settings),
			define(schemas.EventsTopic(taskType, priority), orDefault(settings.EventsPartitions, 3), settings))
	}
	return all
}

func define(name string, partitions int, settings Settings) definition {
	return definition{
		name:              name,
		partitions:        int32(partitions),
		replicationFactor: int16(orDefault(settings.ReplicationFactor, 1)),
		config: map[string]string{
			"cleanup.policy": "delete",
			"retention.ms":   strconv.FormatInt(max(-1, orDefault(settings.RetentionMs, -1)), 10),
			// The broker's clock for all: retries, expiry and positions by time are judged by it.
			"message.timestamp.type": "LogAppendTime",
			"min.insync.replicas":    strconv.Itoa(orDefault(settings.MinInSyncReplicas, 1)),
		},
	}
}

// shareGroupConfig gives the settings of a share group, and which settings of the broker bound each.
func shareGroupConfig(settings Settings) (values map[string]string, bounds map[string][2]string) {
	values = map[string]string{
		// A group that begins at the end would not see what was queued before its first worker came.
		"share.auto.offset.reset":          "earliest",
		"share.record.lock.duration.ms":    strconv.FormatInt(orDefault(settings.Lock, 15*time.Second).Milliseconds(), 10),
		"share.delivery.count.limit":       strconv.Itoa(orDefault(settings.DeliveryLimit, 10)),
		"share.partition.max.record.locks": strconv.Itoa(orDefault(settings.MaxLocks, 10_000)),
		// A worker that joins gets its partitions with its next heartbeat, not a second later (the default).
		"share.assignment.interval.ms": "0",
	}
	bounds = map[string][2]string{
		"share.record.lock.duration.ms":    {"group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"},
		"share.delivery.count.limit":       {"group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit"},
		"share.partition.max.record.locks": {"group.share.min.partition.max.record.locks", "group.share.max.partition.max.record.locks"},
		"share.assignment.interval.ms":     {"group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms"},
	}
	return values, bounds
}
