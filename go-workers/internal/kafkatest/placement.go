package kafkatest

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Place puts all partitions of a topic on these brokers, the first of which leads them, and returns when it is so.
func Place(t testing.TB, client *kgo.Client, topic string, brokers ...int32) {
	t.Helper()
	request := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	request.TimeoutMillis = 10_000
	moved := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	moved.Topic = topic
	for _, partition := range partitionsOf(t, client, topic) {
		one := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		one.Partition, one.Replicas = partition.Partition, brokers
		moved.Partitions = append(moved.Partitions, one)
	}
	request.Topics = append(request.Topics, moved)
	response, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	for i := 0; err == nil && i < len(response.Topics[0].Partitions); i++ {
		err = kerr.ErrorForCode(response.Topics[0].Partitions[i].ErrorCode)
	}
	if err != nil {
		t.Fatalf("placing %s on %v: %v", topic, brokers, err)
	}
	Until(t, "topic "+topic+" is where it was put", func() bool {
		elected := true
		for _, partition := range partitionsOf(t, client, topic) {
			if len(partition.Replicas) != len(brokers) || len(partition.ISR) != len(brokers) {
				return false
			}
			elected = elected && partition.Leader == brokers[0]
		}
		if !elected {
			electFirst(t, client, topic)
		}
		return elected
	})
}

// electFirst lets the first replica of each partition lead it. Whoever asks looks whether that has come about.
func electFirst(t testing.TB, client *kgo.Client, topic string) {
	t.Helper()
	request := kmsg.NewPtrElectLeadersRequest()
	request.TimeoutMillis = 10_000
	one := kmsg.NewElectLeadersRequestTopic()
	one.Topic = topic
	for _, partition := range partitionsOf(t, client, topic) {
		one.Partitions = append(one.Partitions, partition.Partition)
	}
	request.Topics = append(request.Topics, one)
	_, _ = request.RequestWith(t.Context(), client)
}

// Leaders of a topic's partitions, by partition; -1 where there is none at present.
func Leaders(t testing.TB, client *kgo.Client, topic string) []int32 {
	t.Helper()
	partitions := partitionsOf(t, client, topic)
	leaders := make([]int32, len(partitions))
	for _, partition := range partitions {
		leaders[partition.Partition] = partition.Leader
	}
	return leaders
}

// Coordinator is the broker that coordinates a group; -1 while there is none.
func Coordinator(t testing.TB, client *kgo.Client, group string) int32 {
	t.Helper()
	request := kmsg.NewPtrFindCoordinatorRequest()
	request.CoordinatorKeys = []string{group}
	response, err := request.RequestWith(t.Context(), client)
	if err != nil || len(response.Coordinators) == 0 || response.Coordinators[0].ErrorCode != 0 {
		return -1
	}
	return response.Coordinators[0].NodeID
}

// partitionsOf asks any broker; one that has just started may be the last to hear of a topic.
func partitionsOf(t testing.TB, client *kgo.Client, topic string) (partitions []kmsg.MetadataResponseTopicPartition) {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &topic
	request.Topics = append(request.Topics, one)
	Until(t, "a broker that was asked knows topic "+topic, func() bool {
		response, err := request.RequestWith(t.Context(), client)
		if err == nil {
			err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
		}
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Fatalf("partitions of %s: %v", topic, err)
		}
		partitions = response.Topics[0].Partitions
		return err == nil
	})
	return partitions
}

// CoordinatorTopics are those whose leaders coordinate share groups and keep their state.
var CoordinatorTopics = []string{"__consumer_offsets", "__share_group_state"}

// ReplicatedCoordinators put them on both brokers of a pair, so that each can take over from the other.
var ReplicatedCoordinators = Properties{
	"offsets.topic.replication.factor":                 2,
	"offsets.topic.num.partitions":                     2,
	"share.coordinator.state.topic.replication.factor": 2,
	"share.coordinator.state.topic.num.partitions":     2,
}
