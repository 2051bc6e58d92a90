package logreader

import (
	"context"
	"fmt"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// LastUnder gives the append time of a partition's last record that was written before its leader had this epoch; false where
// the log has none (any more), or does not say.
func (r *Reader) LastUnder(ctx context.Context, topic string, partition, epoch int32) (appendedAt int64, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request := kmsg.NewPtrOffsetForLeaderEpochRequest()
	request.ReplicaID = -1
	one := kmsg.NewOffsetForLeaderEpochRequestTopic()
	one.Topic = topic
	part := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	part.Partition, part.CurrentLeaderEpoch, part.LeaderEpoch = partition, -1, epoch-1
	one.Partitions = append(one.Partitions, part)
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(ctx, r.client)
	if err == nil && (len(response.Topics) == 0 || len(response.Topics[0].Partitions) == 0) {
		err = kerr.UnknownTopicOrPartition
	}
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		return 0, false, fmt.Errorf("leader epochs of %s/%d: %w", topic, partition, err)
	}
	end := response.Topics[0].Partitions[0].EndOffset
	if end <= 0 {
		return 0, false, nil
	}
	err = r.Read(ctx, topic, partition, end-1, end, func(record recordbatch.Record) { appendedAt, found = record.Timestamp, true })
	return appendedAt, found, err
}

// Epoch is the leader epoch that a partition has now, and how many brokers the cluster has.
func (r *Reader) Epoch(ctx context.Context, topic string, partition int32) (epoch int32, brokers int, err error) {
	request := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &topic
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(ctx, r.client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("leader epochs of %s: %w", topic, err)
	}
	for _, one := range response.Topics[0].Partitions {
		if one.Partition == partition {
			return one.LeaderEpoch, len(response.Brokers), nil
		}
	}
	return 0, 0, fmt.Errorf("leader epochs of %s: %w", topic, kerr.UnknownTopicOrPartition)
}
