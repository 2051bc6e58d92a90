package sharequeue

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// How the broker acquires (KIP-1206).
const (
	// batchesMode: whole batches until there are as many records as asked for, or more.
	batchesMode int8 = 0
	// recordLimitMode: never more records than asked for.
	recordLimitMode int8 = 1
)

// An acquisition is how many records to acquire, and how. Of batchSize records the broker is to keep account together, as far as batches
// allow that.
type acquisition struct {
	mode                  int8
	maxRecords, batchSize int
}

// acquisitionOf at most maxRecords of a queue whose batches have at most batchRecords. Where that is room for a whole batch, whole
// batches: as many as fit in any case. The broker keeps account of such a batch as of one, where it takes one that was acquired in parts
// offset by offset; and it sends whole batches, however little of one was acquired.
func acquisitionOf(maxRecords, batchRecords int) acquisition {
	if batchRecords == 0 || maxRecords < batchRecords {
		return acquisition{mode: recordLimitMode, maxRecords: maxRecords, batchSize: max(1, maxRecords)}
	}
	// In this mode the last batch is the one in which the limit lies.
	return acquisition{mode: batchesMode, maxRecords: maxRecords - batchRecords + 1, batchSize: batchRecords}
}

// partitionAcks are what a request says about one partition.
type partitionAcks struct {
	id     partitionID
	ranges []ackRange
}

// shareFetch acquires records, with the acknowledgements of earlier ones.
func (s *session) shareFetch(
	maxRecords int, maxWait time.Duration, added, forgotten []partitionID, waiting []*sharePartition,
) (*kmsg.ShareFetchResponse, error) {
	config := &s.queue.config
	request := kmsg.NewPtrShareFetchRequest()
	request.GroupID, request.MemberID = &config.Group, &config.MemberID
	request.ShareSessionEpoch = s.epoch
	request.MaxWaitMillis = int32(maxWait.Milliseconds())
	request.MinBytes = 1
	request.MaxBytes = config.MaxBytes
	how := acquisitionOf(maxRecords, config.BatchRecords)
	request.MaxRecords, request.BatchSize, request.ShareAcquireMode = int32(how.maxRecords), int32(how.batchSize), how.mode
	acks := s.taken(waiting)
	for _, id := range added {
		if !slices.ContainsFunc(acks, func(one partitionAcks) bool { return one.id == id }) {
			acks = append(acks, partitionAcks{id: id})
		}
	}
	for _, one := range acks {
		topic := topicOf(&request.Topics, one.id.topic, func(topic *kmsg.ShareFetchRequestTopic) *[16]byte { return &topic.TopicID })
		partition := kmsg.NewShareFetchRequestTopicPartition()
		partition.Partition = one.id.partition
		for _, ack := range one.ranges {
			partition.AcknowledgementBatches = append(partition.AcknowledgementBatches,
				kmsg.ShareFetchRequestTopicPartitionAcknowledgementBatch{
					FirstOffset: ack.first, LastOffset: ack.last, AcknowledgeTypes: []int8{int8(ack.kind)},
				})
		}
		topic.Partitions = append(topic.Partitions, partition)
	}
	for _, id := range forgotten {
		topic := topicOf(&request.ForgottenTopicsData, id.topic,
			func(topic *kmsg.ShareFetchRequestForgottenTopicsData) *[16]byte { return &topic.TopicID })
		topic.Partitions = append(topic.Partitions, id.partition)
	}
	answer, err := s.conn.request(s.ctx, request)
	if err != nil {
		return nil, fmt.Errorf("ShareFetch for group %s: %w", config.Group, err)
	}
	response := answer.(*kmsg.ShareFetchResponse)
	if err := answered("ShareFetch", config.Group, response.ErrorCode, response.ErrorMessage); err != nil {
		return nil, err
	}
	s.succeeded(added, forgotten)
	return response, nil
}

// acknowledge sends acknowledgements and renewals on their own, or ends the session.
func (s *session) acknowledge(epoch int32, acks []partitionAcks, renews bool) (*kmsg.ShareAcknowledgeResponse, error) {
	config := &s.queue.config
	request := kmsg.NewPtrShareAcknowledgeRequest()
	request.GroupID, request.MemberID = &config.Group, &config.MemberID
	request.ShareSessionEpoch = epoch
	request.IsRenewAck = renews
	for _, one := range acks {
		topic := topicOf(&request.Topics, one.id.topic, func(topic *kmsg.ShareAcknowledgeRequestTopic) *[16]byte { return &topic.TopicID })
		partition := kmsg.NewShareAcknowledgeRequestTopicPartition()
		partition.Partition = one.id.partition
		for _, ack := range one.ranges {
			partition.AcknowledgementBatches = append(partition.AcknowledgementBatches,
				kmsg.ShareAcknowledgeRequestTopicPartitionAcknowledgementBatch{
					FirstOffset: ack.first, LastOffset: ack.last, AcknowledgeTypes: []int8{int8(ack.kind)},
				})
		}
		topic.Partitions = append(topic.Partitions, partition)
	}
	answer, err := s.conn.request(s.ctx, request)
	if err != nil {
		return nil, fmt.Errorf("ShareAcknowledge for group %s: %w", config.Group, err)
	}
	response := answer.(*kmsg.ShareAcknowledgeResponse)
	if err := answered("ShareAcknowledge", config.Group, response.ErrorCode, response.ErrorMessage); err != nil {
		return nil, err
	}
	s.succeeded(nil, nil)
	return response, nil
}

// topicOf finds a topic among those of a request, or adds it.
func topicOf[T any](topics *[]T, id [16]byte, idOf func(*T) *[16]byte) *T {
	for i := range *topics {
		if *idOf(&(*topics)[i]) == id {
			return &(*topics)[i]
		}
	}
	var topic T
	*idOf(&topic) = id
	*topics = append(*topics, topic)
	return &(*topics)[len(*topics)-1]
}

func answered(request, group string, code int16, message *string) error {
	err := kerr.ErrorForCode(code)
	if err == nil {
		return nil
	}
	if message != nil {
		return fmt.Errorf("%s for group %s: %w: %s", request, group, err, *message)
	}
	return fmt.Errorf("%s for group %s: %w", request, group, err)
}

// fetchAnswer is a partition's part of an answer; the broker may leave out partitions without records or errors.
func fetchAnswer(response *kmsg.ShareFetchResponse, id partitionID) kmsg.ShareFetchResponseTopicPartition {
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if topic.TopicID == id.topic && partition.Partition == id.partition {
				return partition
			}
		}
	}
	return kmsg.ShareFetchResponseTopicPartition{}
}

func acknowledgeAnswer(response *kmsg.ShareAcknowledgeResponse, id partitionID) kmsg.ShareAcknowledgeResponseTopicPartition {
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if topic.TopicID == id.topic && partition.Partition == id.partition {
				return partition
			}
		}
	}
	return kmsg.ShareAcknowledgeResponseTopicPartition{}
}
