package sharequeue

import (
	"time"
)

// run sends one request after the other, as long as there is something to ask for or to say.
func (s *session) run() {
	defer close(s.done)
	last := time.Now()
	for s.ctx.Err() == nil {
		now := time.Now()
		if s.pauseEnded(last, now) {
			s.queue.changed()
		}
		last = now
		step := s.nextStep(now)
		if step == nil {
			if s.finished() {
				break
			}
			s.waitForWork(now)
			continue
		}
		if err := step(); err != nil && s.ctx.Err() == nil {
			s.fail(err)
		}
		if s.settledAll() {
			s.queue.changed()
		}
	}
	s.end()
}

// nextStep decides what to do now; nil: nothing.
func (s *session) nextStep(now time.Time) func() error {
	if s.conn != nil {
		select {
		case <-s.conn.ended:
			return func() error { return errConnectionEnded }
		default:
		}
		// Waited for here, so that renewals that come meanwhile go first, and times of locks count from when a request really left.
		if s.conn.openFrom.After(now) {
			return nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting, alone := s.waiting(now)
	switch {
	case s.epoch != openingEpoch && len(s.renewals.parts) > 0:
		return s.sendRenewals
	case len(waiting) > 0 && (s.pending == nil || alone):
		return func() error { return s.sendAcknowledgements(waiting) }
	case s.pending != nil:
		asked := s.pending
		return func() error { return s.fetch(asked, waiting) }
	}
	return nil
}

// waiting gives the partitions with something to acknowledge now, and whether that should not ride on a fetch: halves of what was
// refused should not wait for a long poll, nor for others, and a fetch would take a partition given up into the session.
func (s *session) waiting(now time.Time) (waiting []*sharePartition, alone bool) {
	if s.epoch == openingEpoch || s.ackAt.After(now) {
		return nil, false
	}
	all := s.pacing.due(now) || s.isHurried()
	if all {
		for _, partition := range s.known {
			partition.breakUp()
		}
	}
	due := all || s.pacing.enough()
	for id, partition := range s.known {
		if partition.hasSuspects() || due && partition.hasWaiting() {
			waiting = append(waiting, partition)
			alone = alone || partition.hasSuspects() || !s.wanted[id]
		}
	}
	return waiting, alone
}

// active gives the partitions to fetch from now.
func (s *session) active(now time.Time) []partitionID {
	var active []partitionID
	for id := range s.wanted {
		if !s.pausedUntil[id].After(now) {
			active = append(active, id)
		}
	}
	return active
}

func (s *session) allSettled() bool {
	for _, partition := range s.known {
		if !partition.settledAll() {
			return false
		}
	}
	return true
}

// waitForWork returns when there may be something to do that there was not at a time: at a wake-up, when the connection ends, or when
// a pause is over.
func (s *session) waitForWork(since time.Time) {
	var ended chan struct{}
	if s.conn != nil {
		ended = s.conn.ended
	}
	timer := time.NewTimer(s.untilNextPauseEnds(since))
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-ended:
	case <-s.ctx.Done():
	case <-timer.C:
	}
}

// pauseEnded: it may be polled again since a time, wholly or for some partition. Whoever waits to poll it is told, also where the
// pause ended while a request was under way.
func (s *session) pauseEnded(since, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := func(at time.Time) bool { return at.After(since) && !at.After(now) }
	for _, at := range s.pausedUntil {
		if ended(at) {
			return true
		}
	}
	return ended(s.resumeAt)
}

// untilNextPauseEnds counts from the time for which there was found to be nothing to do: a pause that ended since counts, too.
func (s *session) untilNextPauseEnds(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := time.Hour
	see := func(at time.Time) {
		if left := at.Sub(now); left > 0 {
			wait = min(wait, left)
		}
	}
	see(s.resumeAt)
	see(s.ackAt)
	see(s.pacing.dueAt)
	if s.conn != nil {
		see(s.conn.openFrom)
	}
	for _, at := range s.pausedUntil {
		see(at)
	}
	return wait
}

func (s *session) finished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing && (s.allSettled() || s.epoch == openingEpoch)
}

// end closes the session, which frees what it still holds.
func (s *session) end() {
	if s.conn != nil {
		if s.epoch != openingEpoch && s.ctx.Err() == nil {
			_, _ = s.acknowledge(closingEpoch, nil, false)
		}
		s.conn.close()
	}
	s.lose(s.takePending())
}
