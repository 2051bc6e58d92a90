package sharequeue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/coordinator"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A MembershipState says how a member stands with its group.
type MembershipState string

const (
	// Joining: not a member, or without partitions.
	Joining MembershipState = "joining"
	// Member: has partitions.
	Member MembershipState = "member"
	// Failing: the last heartbeat got no good answer.
	Failing MembershipState = "failing"
	// Left the group.
	Left MembershipState = "left"
)

// The member epochs that join (or join anew) and leave.
const (
	joinEpoch  = 0
	leaveEpoch = -1
)

const (
	// The first assignment comes with a later heartbeat than the one that joins: about a second later, if one asks this often.
	eagerInterval = 200 * time.Millisecond
	// A topic that does not exist yet gives no partitions however often one asks.
	eagerBeats      = 50
	patientInterval = time.Second
	// refusedPause: where trying again soon cannot help, not allowed or the group is full.
	refusedPause     = 5 * time.Second
	leaveTimeout     = 2 * time.Second
	heartbeatTimeout = 10 * time.Second
)

// A membership is one member of a share group: it joins, says regularly that it lives, learns its partitions, leaves. Its id
// stays the same for good; a broker that does not know it (any more) makes it join anew. Sessions go on while the coordinator
// is away.
type membership struct {
	queue    *Queue
	assigned func([]partitionID)
	cancel   context.CancelFunc
	done     chan struct{}

	// Of the loop alone.
	coordinator   *kgo.Broker // nil: to be found
	epoch         int32
	hasPartitions bool
	beats         int
	failures      int

	mu              sync.Mutex
	state           MembershipState
	lastHeartbeatAt time.Time
	lastError       error
}

// join sends the first heartbeat, and the others from then on. It gives an error if that can never succeed; while no
// coordinator can be reached it goes on trying.
func join(ctx context.Context, queue *Queue, assigned func([]partitionID)) (*membership, error) {
	beating, cancel := context.WithCancel(context.Background())
	m := &membership{queue: queue, assigned: assigned, cancel: cancel, done: make(chan struct{}), state: Joining}
	pause := m.beat(ctx)
	if err := m.lastError; err != nil && isHopeless(err) {
		cancel()
		return nil, err
	}
	go m.run(beating, pause)
	return m, nil
}

func (m *membership) run(ctx context.Context, pause time.Duration) {
	defer close(m.done)
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			pause = m.beat(ctx)
		}
	}
}

// leave tells the coordinator; its session time-out (45 s) removes a member that could not say goodbye.
func (m *membership) leave(ctx context.Context) {
	m.cancel()
	<-m.done
	m.mu.Lock()
	m.state = Left
	m.mu.Unlock()
	if m.epoch == joinEpoch {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	if _, err := m.send(ctx, leaveEpoch, nil); err != nil {
		m.coordinator = nil
		_, _ = m.send(ctx, leaveEpoch, nil)
	}
}

// beat sends one heartbeat, and gives the pause until the next.
func (m *membership) beat(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	var topics []string
	if m.epoch == joinEpoch {
		topics = []string{m.queue.config.Topic}
	}
	response, err := m.send(ctx, m.epoch, topics)
	if err != nil {
		return m.failed(err)
	}
	m.epoch = response.MemberEpoch
	m.failures = 0
	m.beats++
	if response.Assignment != nil && ctx.Err() == nil {
		var partitions []partitionID
		for _, topic := range response.Assignment.TopicPartitions {
			for _, partition := range topic.Partitions {
				partitions = append(partitions, partitionID{topic.TopicID, partition})
			}
		}
		m.hasPartitions = len(partitions) > 0
		m.assigned(partitions)
	}
	m.mu.Lock()
	m.state, m.lastHeartbeatAt, m.lastError = Joining, time.Now(), nil
	if m.hasPartitions {
		m.state = Member
	}
	m.mu.Unlock()
	switch {
	case m.hasPartitions:
		return time.Duration(response.HeartbeatIntervalMillis) * time.Millisecond
	case m.beats <= eagerBeats:
		return eagerInterval
	default:
		return patientInterval
	}
}

func (m *membership) send(ctx context.Context, epoch int32, topics []string) (*kmsg.ShareGroupHeartbeatResponse, error) {
	request := kmsg.NewPtrShareGroupHeartbeatRequest()
	request.GroupID, request.MemberID = m.queue.config.Group, m.queue.config.MemberID
	request.MemberEpoch = epoch
	request.SubscribedTopicNames = topics
	if m.coordinator == nil {
		found, err := coordinator.Find(ctx, m.queue.brokers.client, m.queue.config.Group)
		if err != nil {
			return nil, err
		}
		m.coordinator = found
	}
	answer, err := m.coordinator.Request(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("ShareGroupHeartbeat for group %s: %w", m.queue.config.Group, err)
	}
	response := answer.(*kmsg.ShareGroupHeartbeatResponse)
	return response, answered("ShareGroupHeartbeat", m.queue.config.Group, response.ErrorCode, response.ErrorMessage)
}

func (m *membership) failed(err error) time.Duration {
	m.failures++
	m.coordinator = nil // it may be another by now
	m.mu.Lock()
	m.state, m.lastError = Failing, err
	m.mu.Unlock()
	level := slog.LevelDebug
	if m.failures == 1 {
		level = slog.LevelWarn
	}
	if isAny(err, kerr.UnknownMemberID, kerr.FencedMemberEpoch) {
		m.epoch, m.beats = joinEpoch, 0
		m.queue.logger.Log(context.Background(), level, "the share group does not know this member any more, joining anew", "error", err)
		return backoff(m.failures)
	}
	m.queue.logger.Log(context.Background(), level, "a heartbeat to the share group failed, trying again", "error", err, "failures", m.failures)
	if isHopeless(err) || isAny(err, kerr.GroupMaxSizeReached) {
		return refusedPause
	}
	return backoff(m.failures)
}

// isHopeless: another attempt cannot do better. Some errors are not retriable by the protocol's table, and yet pass.
func isHopeless(err error) bool {
	var answered *kerr.Error
	if !errors.As(err, &answered) {
		return false
	}
	return !answered.Retriable && !isAny(err, kerr.UnknownMemberID, kerr.FencedMemberEpoch, kerr.GroupMaxSizeReached, kerr.GroupIDNotFound)
}
