package sharequeue

import "time"

const (
	// ackLinger: accepts wait so long for others, above all of their own batch, …
	ackLinger = 100 * time.Millisecond
	// ackEnough: … and whole batches no longer once there are so many records in them.
	ackEnough = 256
)

// An ackPacing says when acknowledgements leave. Each request with some makes the broker write the group's state, and is answered
// when that is done; a fetch that carries some gives its records no sooner. So accepts gather for a moment: all that depends on
// them is how far the group is said to be, and what a killed worker's successor looks up in the log. And they leave by whole acquired
// batches, unless some of one have waited for the others for so long. Releases don't wait: somebody else is to have those. The
// session's mutex guards it.
type ackPacing struct {
	dueAt          time.Time // of all, parts of batches too; zero: whatever waits leaves at once
	inWholeBatches int
}

// added: one more waits; with it so many became ready that whole batches may leave with them. It says whether the session has to look:
// they are due, or will be at a time that it doesn't know of.
func (p *ackPacing) added(kind ackType, ready int, now time.Time) (look bool) {
	p.inWholeBatches += ready
	switch {
	case kind != ackAccept:
		if p.dueAt.IsZero() || p.dueAt.After(now) {
			p.dueAt = now
		}
	case p.dueAt.IsZero():
		p.dueAt = now.Add(ackLinger)
		return true
	}
	return p.enough() || p.due(now)
}

// enough: whole batches are due.
func (p *ackPacing) enough() bool { return p.inWholeBatches >= ackEnough }

// due: all is, parts of batches too.
func (p *ackPacing) due(now time.Time) bool { return !p.dueAt.After(now) }

// sent: what was due leaves. partsSince is since when parts of batches have waited that do not; zero where there are none.
func (p *ackPacing) sent(partsSince time.Time) {
	*p = ackPacing{}
	if !partsSince.IsZero() {
		p.dueAt = partsSince.Add(ackLinger)
	}
}
