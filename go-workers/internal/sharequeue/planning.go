package sharequeue

import (
	"time"
)

// sources are what may be polled now; several leaders take turns at being asked first.
func (q *Queue) sources() []pollSource {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	sources := make([]pollSource, 0, len(q.order))
	q.turn++
	for i := range q.order {
		session := q.order[(i+q.turn)%len(q.order)]
		session.mu.Lock()
		if len(session.wanted) > 0 {
			sources = append(sources, session)
		}
		session.mu.Unlock()
	}
	return sources
}

func (q *Queue) allSessions() []*session {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]*session(nil), q.order...)
}

func (q *Queue) assign(partitions []partitionID) {
	q.mu.Lock()
	q.assignment = partitions
	q.mu.Unlock()
	q.replan()
}

// replan: leaders may have changed.
func (q *Queue) replan() {
	select {
	case q.plan <- struct{}{}:
	default:
	}
}

// keepPlanned finds leaders, and gives each session the partitions that its broker leads.
func (q *Queue) keepPlanned() {
	defer q.planning.Done()
	failures := 0
	for {
		select {
		case <-q.plan:
		case <-q.ctx.Done():
			return
		}
		for q.ctx.Err() == nil {
			leaders, err := q.brokers.leaders(q.ctx, q.config.Topic)
			if err == nil && q.distribute(leaders) {
				failures = 0
				break
			}
			failures++
			q.logger.Debug("leaders of a queue are not known yet", "error", err)
			select {
			case <-time.After(20*time.Millisecond + backoff(failures)):
			case <-q.ctx.Done():
			}
		}
	}
}

// distribute is false where a partition assigned has no leader at present.
func (q *Queue) distribute(leaders map[partitionID]int32) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return true
	}
	byBroker := map[int32][]partitionID{}
	complete := true
	for _, id := range q.assignment {
		if leader, ok := leaders[id]; ok {
			byBroker[leader] = append(byBroker[leader], id)
		} else {
			complete = false
		}
	}
	for brokerID := range byBroker {
		if q.sessions[brokerID] == nil {
			q.sessions[brokerID] = newSession(q, brokerID)
			q.order = append(q.order, q.sessions[brokerID])
		}
	}
	sessions := append([]*session(nil), q.order...)
	q.mu.Unlock()
	for _, session := range sessions {
		session.want(byBroker[session.brokerID])
	}
	q.changed()
	return complete
}
