package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/coordinator"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/logreader"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	factsTimeout = 5 * time.Second
	// maxStartFailures: then nobody can say where the group starts, and every record of an older epoch is checked.
	maxStartFailures = 3
)

// sessionFacts are what is asked when a session with a leader begins, for records that it may have forgotten.
type sessionFacts struct {
	hold   *sharequeue.Hold
	source *factSource
	ready  chan struct{}

	// Set once ready is closed. known is false where the hold was lost before.
	known      bool
	groupStart *int64
	eventsEnds map[int32]int64

	mu      sync.Mutex
	lastOld map[int32]*int64
}

// A factSource knows whom to ask about one queue.
type factSource struct {
	client       *kgo.Client
	reader       *logreader.Reader
	group, topic string
	eventsTopic  string
	logger       *slog.Logger
}

func newSessionFacts(ctx context.Context, source *factSource, hold *sharequeue.Hold) *sessionFacts {
	facts := &sessionFacts{hold: hold, source: source, ready: make(chan struct{}), lastOld: map[int32]*int64{}}
	go facts.ask(ctx)
	return facts
}

// startOfGroup is nil where it is not known, or not yet.
func (facts *sessionFacts) startOfGroup() *int64 {
	select {
	case <-facts.ready:
		return facts.groupStart
	default:
		return nil
	}
}

// wait is false where the hold was lost, or ctx ended, before they were known.
func (facts *sessionFacts) wait(ctx context.Context) bool {
	select {
	case <-facts.ready:
		return facts.known && !facts.hold.Lost()
	case <-ctx.Done():
		return false
	}
}

func (facts *sessionFacts) ask(ctx context.Context) {
	defer close(facts.ready)
	startFailures := 0
	for failures := 1; !facts.hold.Lost(); failures++ {
		var err error
		if facts.groupStart == nil && startFailures < maxStartFailures {
			if facts.groupStart, err = facts.source.groupStart(ctx, facts.hold.Partition); err != nil {
				startFailures++
			}
		}
		if facts.eventsEnds == nil {
			asking, cancel := context.WithTimeout(ctx, factsTimeout)
			ends, endsErr := facts.source.reader.Ends(asking, facts.source.eventsTopic)
			cancel()
			if endsErr == nil {
				facts.eventsEnds = ends
			} else {
				err = endsErr
			}
		}
		if facts.eventsEnds != nil && (facts.groupStart != nil || startFailures == maxStartFailures) {
			facts.known = true
			return
		}
		facts.source.logger.Debug("what a session must know is not known yet", "topic", facts.source.topic, "error", err)
		if !pause(ctx, retryPause(failures)) {
			return
		}
	}
}

func (source *factSource) groupStart(ctx context.Context, partition int32) (*int64, error) {
	ctx, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	request := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	group := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
	topic := kmsg.NewDescribeShareGroupOffsetsRequestGroupTopic()
	topic.Topic, topic.Partitions = source.topic, []int32{partition}
	group.GroupID, group.Topics = source.group, append(group.Topics, topic)
	request.Groups = append(request.Groups, group)
	coordinating, err := coordinator.Find(ctx, source.client, source.group)
	if err != nil {
		return nil, fmt.Errorf("start of share group %s: %w", source.group, err)
	}
	response, err := request.RequestWith(ctx, coordinating)
	if err == nil && len(response.Groups) == 0 {
		err = kerr.GroupIDNotFound
	}
	if err == nil {
		err = kerr.ErrorForCode(response.Groups[0].ErrorCode)
	}
	if err == nil && (len(response.Groups[0].Topics) == 0 || len(response.Groups[0].Topics[0].Partitions) == 0) {
		err = kerr.UnknownTopicOrPartition
	}
	if err == nil {
		err = kerr.ErrorForCode(response.Groups[0].Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		return nil, fmt.Errorf("start of share group %s: %w", source.group, err)
	}
	start := response.Groups[0].Topics[0].Partitions[0].StartOffset
	if start < 0 { // nothing was accepted yet: it begins where the log does
		if start, err = source.reader.OffsetAt(ctx, source.topic, partition, 0); err != nil {
			return nil, err
		}
	}
	return &start, nil
}

// lastEventOfOldLeader is the append time of the last event that was written before the leader that the session is with; nil
// where that is not known. One broker leads everything: when it restarts, the leaders of queue and events change together. Of
// several brokers only the queue itself says until when its old leader lived.
func (facts *sessionFacts) lastEventOfOldLeader(ctx context.Context, topic string, partition int32) *int64 {
	facts.mu.Lock()
	defer facts.mu.Unlock()
	if known, ok := facts.lastOld[partition]; ok {
		return known
	}
	asking, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	epoch, brokers, err := facts.source.reader.Epoch(asking, topic, partition)
	if err == nil && brokers > 1 {
		topic, partition, epoch = facts.source.topic, facts.hold.Partition, facts.hold.LeaderEpoch
	}
	if err != nil || epoch < 1 {
		return nil
	}
	at, found, err := facts.source.reader.LastUnder(asking, topic, partition, epoch)
	if err != nil || !found {
		return nil
	}
	facts.lastOld[partition] = &at
	return &at
}
