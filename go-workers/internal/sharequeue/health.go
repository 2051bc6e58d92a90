package sharequeue

import (
	"time"
)

// Health is how a queue fares.
type Health struct {
	Membership MembershipState
	// SinceHeartbeat and SinceFetch count from the last good answer; negative while there was none.
	SinceHeartbeat, SinceFetch time.Duration
	// AssignedPartitions are those that the group has given to this member.
	AssignedPartitions int
	// OpenSessions, one for each broker that leads some of them.
	OpenSessions int
	// Held records are delivered and not settled.
	Held             int
	LastError        error
	Acknowledgements AcknowledgementCounts
	SessionsLost     int64
}

// Health says how the queue fares now.
func (q *Queue) Health() Health {
	now := time.Now()
	health := Health{SinceHeartbeat: -1, SinceFetch: -1, Acknowledgements: q.counts.read(), SessionsLost: q.sessionsLost.Load()}
	q.mu.Lock()
	health.AssignedPartitions = len(q.assignment)
	q.mu.Unlock()
	q.member.mu.Lock()
	health.Membership, health.LastError = q.member.state, q.member.lastError
	if at := q.member.lastHeartbeatAt; !at.IsZero() {
		health.SinceHeartbeat = now.Sub(at)
	}
	q.member.mu.Unlock()
	for _, session := range q.allSessions() {
		session.mu.Lock()
		if session.epoch != openingEpoch {
			health.OpenSessions++
		}
		for _, partition := range session.known {
			health.Held += partition.held
		}
		if at := session.lastFetchAt; !at.IsZero() && (health.SinceFetch < 0 || now.Sub(at) < health.SinceFetch) {
			health.SinceFetch = now.Sub(at)
		}
		if health.LastError == nil {
			health.LastError = session.lastError
		}
		session.mu.Unlock()
	}
	return health
}
