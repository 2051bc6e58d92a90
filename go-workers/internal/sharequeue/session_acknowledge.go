package sharequeue

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

func (s *session) sendAcknowledgements(waiting []*sharePartition) error {
	response, err := s.acknowledge(s.epoch, s.taken(waiting), false)
	if err != nil {
		return err
	}
	for _, partition := range waiting {
		s.acknowledged(partition, acknowledgeAnswer(response, partition.id).ErrorCode)
	}
	return nil
}

func (s *session) taken(waiting []*sharePartition) []partitionAcks {
	if len(waiting) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(waiting, (*sharePartition).hasSuspects) { // what else a partition with some has stays behind
		s.pacing.sent(s.partsSince())
	}
	acks := make([]partitionAcks, len(waiting))
	for i, partition := range waiting {
		acks[i] = partitionAcks{partition.id, partition.take()}
	}
	return acks
}

// partsSince is since when acknowledgements have waited for others of their batch; zero where none do.
func (s *session) partsSince() (since time.Time) {
	for _, partition := range s.known {
		if len(partition.parts) == 0 {
			continue
		}
		if oldest := partition.parts[0].since; since.IsZero() || oldest.Before(since) {
			since = oldest
		}
	}
	return since
}

func (s *session) acknowledged(partition *sharePartition, code int16) {
	err := kerr.ErrorForCode(code)
	invalid := isAny(err, kerr.InvalidRecordState)
	if err != nil && !invalid && faultOfPartition(err).lost {
		s.partitionFailed(partition, err, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		partition.answered(ackDone)
		s.ackFailures = 0
	case invalid:
		partition.answered(ackInvalidState)
		s.ackFailures = 0
	default:
		partition.answered(ackAgain)
		s.lastError = fmt.Errorf("acknowledgements of partition %d: %w", partition.id.partition, err)
		s.queue.logger.Warn("acknowledgements were not taken, sending them again", "error", s.lastError)
		s.ackFailures++
		s.ackAt = time.Now().Add(20*time.Millisecond + backoff(s.ackFailures))
	}
}

func (s *session) sendRenewals() error {
	s.mu.Lock()
	parts := s.renewals.take()
	s.mu.Unlock()
	acks := make([]partitionAcks, len(parts))
	for i, part := range parts {
		acks[i] = partitionAcks{part.partition.id, part.ranges()}
	}
	sentAt := monotonic()
	response, err := s.acknowledge(s.epoch, acks, true)
	if err != nil {
		s.mu.Lock()
		lose(parts)
		s.mu.Unlock()
		return err
	}
	lockedUntil := sentAt + int64(response.AcquisitionLockTimeoutMillis)*int64(time.Millisecond)
	for _, part := range parts {
		outcome := ackDone
		if err := kerr.ErrorForCode(acknowledgeAnswer(response, part.partition.id).ErrorCode); err != nil {
			outcome = ackAgain // its lock runs on as it was
			if isAny(err, kerr.InvalidRecordState) {
				outcome = ackInvalidState
			} else if faultOfPartition(err).lost {
				s.partitionFailed(part.partition, err, nil)
			}
		}
		s.mu.Lock()
		s.renewals.answered(part, outcome, lockedUntil)
		s.mu.Unlock()
	}
	return nil
}
