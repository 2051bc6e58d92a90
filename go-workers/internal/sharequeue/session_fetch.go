package sharequeue

import (
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// provingWait: an answer that waited so long and is empty proves something. Without a wait the broker may just have been busy with
// another member, and a throttled answer is empty, whatever there was.
const provingWait = 200 * time.Millisecond

func (s *session) takePending() *poll {
	s.mu.Lock()
	defer s.mu.Unlock()
	pending := s.pending
	s.pending = nil
	return pending
}

func (s *session) answer(records []*Delivered) {
	if pending := s.takePending(); pending != nil {
		pending.answer <- records
	}
}

func (s *session) fetch(asked *poll, waiting []*sharePartition) error {
	s.mu.Lock()
	active := s.active(time.Now())
	s.mu.Unlock()
	if len(active) == 0 {
		s.answer(nil)
		return nil
	}
	if err := s.connect(); err != nil {
		return err
	}
	if s.epoch == openingEpoch && s.mayHoldLocks {
		if err := s.giveUpLocks(active); err != nil {
			return err
		}
	}
	added, forgotten := s.changes(active)
	sentAt := monotonic()
	s.mayHoldLocks = true
	response, err := s.shareFetch(asked.maxRecords, asked.maxWait, added, forgotten, waiting)
	if err != nil {
		return err
	}
	if len(added) > 0 {
		if err := s.begin(added, response); err != nil {
			return err
		}
	}
	for _, partition := range waiting {
		s.acknowledged(partition, fetchAnswer(response, partition.id).AcknowledgeErrorCode)
	}
	isThrottled := response.ThrottleMillis > 0
	if isThrottled {
		s.rest(time.Duration(response.ThrottleMillis) * time.Millisecond)
	}
	records := s.received(response, sentAt, sentAt+int64(response.AcquisitionLockTimeoutMillis)*int64(time.Millisecond))
	if len(records) > 0 {
		s.throttled = 0
	} else if waited := time.Duration(monotonic() - sentAt); min(asked.maxWait, waited) >= provingWait && !isThrottled {
		s.shownNothing(active, sentAt)
	}
	s.mu.Lock()
	s.lastFetchAt = time.Now()
	s.mu.Unlock()
	s.failures = 0
	s.answer(records)
	return nil
}

// rest fetches nothing for a while.
func (s *session) rest(throttle time.Duration) {
	s.throttled++
	pause := throttledRest(s.throttled, throttle)
	level := slog.LevelDebug
	if s.throttled == 1 {
		level = slog.LevelWarn
	}
	s.queue.logger.Log(s.ctx, level, "a fetch was throttled: what it locked comes again when the locks end",
		"broker", s.brokerID, "throttle", throttle, "rest", pause)
	s.mu.Lock()
	s.resumeAt = time.Now().Add(pause)
	s.mu.Unlock()
}

func (s *session) connect() error {
	if s.conn != nil {
		return nil
	}
	address, err := s.queue.brokers.address(s.ctx, s.brokerID)
	if err != nil {
		return err
	}
	s.conn, err = openConnection(s.queue.config.Options, s.queue.config.Dial, address, s.queue.config.AnswerTimeout)
	return err
}

// changes gives what a fetch must say so that the session holds just the partitions wanted.
func (s *session) changes(active []partitionID) (added, forgotten []partitionID) {
	wanted := map[partitionID]bool{}
	for _, id := range active {
		wanted[id] = true
		if !s.members[id] {
			added = append(added, id)
		}
	}
	for id := range s.members {
		if !wanted[id] {
			forgotten = append(forgotten, id)
		}
	}
	return added, forgotten
}

func (s *session) giveUpLocks(active []partitionID) error {
	if _, err := s.shareFetch(0, 0, active, nil, nil); err != nil {
		return err
	}
	if _, err := s.acknowledge(closingEpoch, nil, false); err != nil {
		return err
	}
	s.reset()
	return nil
}

// begin begins the hold on partitions that have joined the session, with the epoch that their leader itself states; not on those that it
// does not lead (yet, or any more).
func (s *session) begin(added []partitionID, response *kmsg.ShareFetchResponse) error {
	epochs, err := s.queue.brokers.leaderEpochs(s.ctx, s.brokerID, s.queue.config.Topic)
	if err != nil {
		return err
	}
	notes := s.queue.shownOf(added)
	var begun []*Hold
	notLed := map[*sharePartition]error{}
	s.mu.Lock()
	for _, id := range added {
		partition := s.known[id]
		if partition == nil {
			partition = &sharePartition{id: id, session: s, counts: &s.queue.counts, shown: notes[id]}
			s.known[id] = partition
		}
		epoch, leads := epochs[id.partition]
		if cause := kerr.ErrorForCode(fetchAnswer(response, id).ErrorCode); cause != nil && faultOfPartition(cause).lost {
			notLed[partition] = cause
		} else if !leads {
			notLed[partition] = kerr.NotLeaderForPartition
		} else if hold := partition.begin(s.queue.config.Topic, s.brokerID, epoch); hold != nil {
			begun = append(begun, hold)
		}
	}
	s.mu.Unlock()
	for partition, cause := range notLed {
		s.partitionFailed(partition, cause, nil)
	}
	if s.queue.config.OnSessionOpened != nil {
		for _, hold := range begun {
			s.queue.config.OnSessionOpened(hold)
		}
	}
	return nil
}

func (s *session) received(response *kmsg.ShareFetchResponse, sentAt, lockedUntil int64) []*Delivered {
	var all []*Delivered
	for _, topic := range response.Topics {
		for i := range topic.Partitions {
			answer := &topic.Partitions[i]
			s.mu.Lock()
			partition := s.known[partitionID{topic.TopicID, answer.Partition}]
			s.mu.Unlock()
			if partition == nil || partition.hold == nil {
				continue
			}
			if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
				s.partitionFailed(partition, err, answer.ErrorMessage)
				continue
			}
			if len(answer.AcquiredRecords) == 0 {
				continue
			}
			taken := acquiredRecords(answer.Records, answer.AcquiredRecords, partition.hold, lockedUntil)
			s.mu.Lock()
			partition.received(taken, sentAt)
			s.mu.Unlock()
			all = append(all, taken.records...)
			if taken.unreadable != nil {
				s.queue.logger.Error("a record batch of a queue cannot be read", "partition", answer.Partition, "error", taken.unreadable)
			}
		}
	}
	return all
}
