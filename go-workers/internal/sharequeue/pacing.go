package sharequeue

import "time"

const (
	// ackLinger: accepts wait so long for others, …
	ackLinger = 100 * time.Millisecond
	// ackEnough: … and no longer once there are so many.
	ackEnough = 256
)

// An ackPacing says when acknowledgements leave. Each request with some makes the broker write the group's state, and is answered
// when that is done; a fetch that carries some gives its records no sooner. So accepts gather for a moment: all that depends on
// them is how far the group is said to be, and what a killed worker's successor looks up in the log. Releases don't wait: somebody
// else is to have those. The session's mutex guards it.
type ackPacing struct {
	dueAt time.Time // zero: whatever waits leaves at once
	count int
}

// added: one more waits. It says whether the session has to look: they are due, or will be at a time that it doesn't know of.
func (p *ackPacing) added(kind ackType, now time.Time) (look bool) {
	p.count++
	switch {
	case kind != ackAccept || p.count >= ackEnough:
		if p.dueAt.IsZero() || p.dueAt.After(now) {
			p.dueAt = now
		}
	case p.dueAt.IsZero():
		p.dueAt = now.Add(ackLinger)
		return true
	}
	return p.due(now)
}

func (p *ackPacing) due(now time.Time) bool { return !p.dueAt.After(now) }

// sent: all that waited leaves.
func (p *ackPacing) sent() { *p = ackPacing{} }
