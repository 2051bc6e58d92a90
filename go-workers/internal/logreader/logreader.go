// Package logreader reads ranges of partitions outside of any group, from an offset or a time to an end that was asked for: the
// counterpart of readRange in log/src/reader.ts.
package logreader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/recordbatch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// maxBytes of one fetch. A larger record is read all the same.
	maxBytes = 4 << 20
	// maxWait: what is asked for is there already, unless replicas are behind.
	maxWait = 250 * time.Millisecond
	// requestTimeout bounds one request; the caller asks again.
	requestTimeout = 10 * time.Second
)

// A GapError says that the log was trimmed, or is shorter than the position.
type GapError struct {
	Topic     string
	Partition int32
	Offset    int64
}

func (e *GapError) Error() string {
	return fmt.Sprintf("%s/%d has no offset %d (any more)", e.Topic, e.Partition, e.Offset)
}

// A Reader is safe for concurrent use. Nothing is tried again: an error may pass.
type Reader struct {
	client *kgo.Client

	mu     sync.Mutex
	places map[string]place
}

// A place is where a topic's partitions are led.
type place struct {
	topicID [16]byte
	leaders map[int32]int32
}

// New gives a reader on a client that may be used for other things.
func New(client *kgo.Client) *Reader { return &Reader{client: client, places: map[string]place{}} }

// End is the offset after the last record of a partition.
func (r *Reader) End(ctx context.Context, topic string, partition int32) (int64, error) {
	ends, err := r.offsets(ctx, topic, []int32{partition}, -1)
	return ends[partition], err
}

// Ends gives the offsets after the last records of all partitions of a topic.
func (r *Reader) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	where, err := r.place(ctx, topic, false)
	if err != nil {
		return nil, err
	}
	partitions := make([]int32, 0, len(where.leaders))
	for partition := range where.leaders {
		partitions = append(partitions, partition)
	}
	return r.offsets(ctx, topic, partitions, -1)
}

// OffsetAt is the offset of the first record appended at this time (milliseconds since 1970) or later; the end where there is none.
func (r *Reader) OffsetAt(ctx context.Context, topic string, partition int32, at int64) (int64, error) {
	offsets, err := r.offsets(ctx, topic, []int32{partition}, max(0, at))
	if err != nil || offsets[partition] >= 0 {
		return offsets[partition], err
	}
	return r.End(ctx, topic, partition)
}

func (r *Reader) offsets(ctx context.Context, topic string, partitions []int32, at int64) (map[int32]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request := kmsg.NewPtrListOffsetsRequest()
	one := kmsg.NewListOffsetsRequestTopic()
	one.Topic = topic
	for _, number := range partitions {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = number, at
		one.Partitions = append(one.Partitions, partition)
	}
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(ctx, r.client)
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", topic, err)
	}
	found := map[int32]int64{}
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return nil, fmt.Errorf("offset of %s/%d: %w", topic.Topic, partition.Partition, err)
			}
			found[partition.Partition] = partition.Offset
		}
	}
	if len(found) < len(partitions) {
		return nil, fmt.Errorf("offsets of %s: %w", topic, kerr.UnknownTopicOrPartition)
	}
	return found, nil
}

// Read hands on the records from an offset on and below another, which the partition must have reached. Keys and values are
// parts of the fetch.
func (r *Reader) Read(ctx context.Context, topic string, partition int32, from, to int64, each func(recordbatch.Record)) error {
	for from < to {
		next, err := r.fetch(ctx, topic, partition, from, to, each)
		if err != nil {
			return err
		}
		from = next
	}
	return nil
}

// fetch gives where to go on. Without any record that is where it was.
func (r *Reader) fetch(ctx context.Context, topic string, partition int32, from, to int64, each func(recordbatch.Record)) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	where, err := r.place(ctx, topic, true)
	if err != nil {
		return from, err
	}
	leader, ok := where.leaders[partition]
	if !ok {
		r.forget(topic)
		return from, fmt.Errorf("reading %s/%d: %w", topic, partition, kerr.LeaderNotAvailable)
	}
	answer, err := r.client.Broker(int(leader)).Request(ctx, fetchRequest(topic, where.topicID, partition, from))
	if err != nil {
		r.forget(topic)
		return from, fmt.Errorf("reading %s/%d: %w", topic, partition, err)
	}
	response := answer.(*kmsg.FetchResponse)
	err = kerr.ErrorForCode(response.ErrorCode)
	if err == nil && response.ThrottleMillis > 0 && len(response.Topics) == 0 {
		return from, nil // an answer that is throttled is empty; the next request waits for as long
	}
	if err != nil || len(response.Topics) == 0 || len(response.Topics[0].Partitions) == 0 {
		r.forget(topic)
		return from, fmt.Errorf("reading %s/%d: the broker's answer is of no use: %w", topic, partition, errors.Join(err, kerr.UnknownServerError))
	}
	got := &response.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		r.forget(topic)
		if errors.Is(err, kerr.OffsetOutOfRange) {
			return from, &GapError{topic, partition, from}
		}
		return from, fmt.Errorf("reading %s/%d: %w", topic, partition, err)
	}
	next, err := recordbatch.Decode(got.RecordBatches, func(offset int64) bool { return offset >= from && offset < to }, each)
	return max(from, next), err
}

func fetchRequest(topic string, topicID [16]byte, partition int32, from int64) *kmsg.FetchRequest {
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes = int32(maxWait.Milliseconds()), 1, maxBytes
	one := kmsg.NewFetchRequestTopic()
	one.Topic, one.TopicID = topic, topicID
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = partition, from, maxBytes
	one.Partitions = append(one.Partitions, part)
	request.Topics = append(request.Topics, one)
	return request
}

// place finds leaders; as known from the last time where that will do.
func (r *Reader) place(ctx context.Context, topic string, known bool) (place, error) {
	r.mu.Lock()
	where, ok := r.places[topic]
	r.mu.Unlock()
	if ok && known {
		return where, nil
	}
	request := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &topic
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(ctx, r.client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil {
		return place{}, fmt.Errorf("leaders of %s: %w", topic, err)
	}
	where = place{response.Topics[0].TopicID, map[int32]int32{}}
	for _, partition := range response.Topics[0].Partitions {
		if partition.Leader >= 0 {
			where.leaders[partition.Partition] = partition.Leader
		}
	}
	r.mu.Lock()
	r.places[topic] = where
	r.mu.Unlock()
	return where, nil
}

func (r *Reader) forget(topic string) {
	r.mu.Lock()
	delete(r.places, topic)
	r.mu.Unlock()
}
