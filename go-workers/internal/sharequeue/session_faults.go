package sharequeue

import (
	"fmt"
	"log/slog"
	"time"
)

// partitionFailed leaves a partition out for a while: a session that has it would be answered at once, again and again.
func (s *session) partitionFailed(partition *sharePartition, cause error, detail *string) {
	fault := faultOfPartition(cause)
	err := fmt.Errorf("queue %s/%d: %w", s.queue.config.Topic, partition.id.partition, cause)
	if detail != nil {
		err = fmt.Errorf("%w: %s", err, *detail)
	}
	s.queue.logger.Warn("a partition of a queue is not served at present", "error", err)
	s.mu.Lock()
	s.lastError = err
	s.pausedUntil[partition.id] = time.Now().Add(jittered(fault.pause))
	var hold *Hold
	if fault.lost {
		delete(s.known, partition.id)
		hold = partition.lose()
	}
	s.mu.Unlock()
	if !fault.lost {
		return
	}
	if _, member := s.members[partition.id]; member {
		// Asked for like a new one, or else forgotten. Without this the next fetch would begin no hold on it, and its records would
		// be locked and never seen.
		s.members[partition.id] = false
	}
	if hold != nil {
		s.queue.lost([]*Hold{hold}, err)
	}
	s.queue.replan()
}

// fail: whatever went wrong, the session is over.
func (s *session) fail(cause error) {
	fault := faultOfSession(cause)
	if s.conn != nil {
		select {
		case <-s.conn.ended:
			fault.keepConnection = false
		default:
		}
		if !fault.keepConnection {
			s.conn.close()
			s.conn = nil
		}
	}
	s.failures++
	level := slog.LevelDebug
	if s.failures == 1 && !s.isUnused() {
		level = slog.LevelWarn
	}
	s.queue.logger.Log(s.ctx, level, "a share session ended, opening a new one",
		"broker", s.brokerID, "error", cause, "failures", s.failures)
	s.mu.Lock()
	s.lastError = cause
	s.resumeAt = time.Now().Add(jittered(fault.pause) + backoff(s.failures))
	s.mu.Unlock()
	lost := s.lose(s.takePending())
	if len(lost) > 0 {
		s.queue.lost(lost, cause)
	}
	s.queue.replan()
}

// isUnused: nothing is asked nor held, as when a broker closes what has been idle.
func (s *session) isUnused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, partition := range s.known {
		if partition.held > 0 || !partition.settledAll() {
			return false
		}
	}
	return s.pending == nil && len(s.renewals.parts) == 0
}

func (s *session) lose(pending *poll) []*Hold {
	s.reset()
	s.mu.Lock()
	var lost []*Hold
	for _, partition := range s.known {
		if hold := partition.lose(); hold != nil {
			lost = append(lost, hold)
		}
	}
	clear(s.known)
	s.pacing = ackPacing{}
	lose(s.renewals.parts)
	s.renewals.parts = nil
	s.mu.Unlock()
	if pending != nil {
		pending.answer <- nil
	}
	s.queue.changed()
	return lost
}

// reset: the session is gone, the next request opens a new one.
func (s *session) reset() {
	s.mu.Lock()
	s.epoch = openingEpoch
	s.mu.Unlock()
	clear(s.members)
}

// succeeded: a request with the present epoch was answered without an error for the whole.
func (s *session) succeeded(added, forgotten []partitionID) {
	for _, id := range forgotten {
		delete(s.members, id)
	}
	for _, id := range added {
		s.members[id] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == lastEpoch {
		s.epoch = openingEpoch
	}
	s.epoch++
}
