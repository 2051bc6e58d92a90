package sharequeue

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// metadataTimeout bounds one question about leaders: it is asked again with what has changed meanwhile.
const metadataTimeout = 10 * time.Second

// brokers knows where brokers are and what they lead, by asking with the client that the process shares.
type brokers struct {
	client *kgo.Client

	mu        sync.Mutex
	addresses map[int32]string
}

// leaders gives the leader of each partition of a topic, by the partition's full name. A topic or partition without one is an error.
func (b *brokers) leaders(ctx context.Context, topic string) (map[partitionID]int32, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	answer, err := b.client.Request(ctx, metadataRequest(topic))
	if err != nil {
		return nil, fmt.Errorf("leaders of topic %s: %w", topic, err)
	}
	response := answer.(*kmsg.MetadataResponse)
	b.mu.Lock()
	b.addresses = map[int32]string{}
	for _, broker := range response.Brokers {
		b.addresses[broker.NodeID] = net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
	}
	b.mu.Unlock()
	found := map[partitionID]int32{}
	for _, one := range response.Topics {
		if err := kerr.ErrorForCode(one.ErrorCode); err != nil {
			return nil, fmt.Errorf("leaders of topic %s: %w", topic, err)
		}
		for _, partition := range one.Partitions {
			if partition.Leader >= 0 {
				found[partitionID{one.TopicID, partition.Partition}] = partition.Leader
			}
		}
	}
	return found, nil
}

// address gives a broker's, as the last answer about leaders named it.
func (b *brokers) address(ctx context.Context, brokerID int32) (string, error) {
	b.mu.Lock()
	address, known := b.addresses[brokerID]
	b.mu.Unlock()
	if !known {
		return "", fmt.Errorf("broker %d is not in the cluster at present", brokerID)
	}
	return address, ctx.Err()
}

// leaderEpochs asks a broker itself for the leader epochs of those partitions of a topic that it leads. Others may know earlier than it
// does that it is to lead one: until then it serves nothing of it, and the epoch that it states is that of the leader before it.
//
// The connection may be one from before it restarted: that is no reason to give up the session that has just been opened, and a
// delivery of the records that it has brought.
func (b *brokers) leaderEpochs(ctx context.Context, brokerID int32, topic string) (map[int32]int32, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	answer, err := b.client.Broker(int(brokerID)).RetriableRequest(ctx, metadataRequest(topic))
	if err != nil {
		return nil, fmt.Errorf("leader epochs of topic %s: %w", topic, err)
	}
	epochs := map[int32]int32{}
	for _, one := range answer.(*kmsg.MetadataResponse).Topics {
		for _, partition := range one.Partitions {
			if partition.Leader == brokerID {
				epochs[partition.Partition] = partition.LeaderEpoch
			}
		}
	}
	return epochs, nil
}

func metadataRequest(topic string) *kmsg.MetadataRequest {
	request := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = &topic
	request.Topics = []kmsg.MetadataRequestTopic{one}
	return request
}
