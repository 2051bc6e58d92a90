package sharequeue

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// longestPoll: the broker holds a poll no longer than this; accepts and renewals of the same session wait behind it.
	longestPoll = 500 * time.Millisecond
	// longestPollWhileHolding: and no longer than this while records are held. The broker sees that a connection has ended only when it
	// has answered what it was asked on it, and what a killed process held is locked until then (docs/decisions/0152).
	longestPollWhileHolding = 250 * time.Millisecond
	// turn: with fewer free slots than sources they must take turns.
	turn = 50 * time.Millisecond
	// reservedPart: a poll that waits reserves one slot in so many that are free, at least one, so that most are free when the
	// first record comes.
	reservedPart = 32
	// keepFor: what arrived while nobody was waiting is given back when nobody asks for it within this time.
	keepFor = time.Second
)

// A pollSource is what polls need of a share session.
type pollSource interface {
	// ready: a poll makes sense now.
	ready() bool
	// holds: records of it are locked and not settled.
	holds() bool
	// poll gives what it brings; only one at a time.
	poll(maxRecords int, maxWait time.Duration) []*Delivered
}

// polls of one or several share sessions on one account of free slots. They are asked in order without waiting; when all were
// empty, waited on together. A poll that waits at the broker cannot be called back: the slots that it may fill stay reserved
// until it is answered, and what it brings after its caller has gone is there for the next one.
type polls struct {
	release func([]*Delivered)
	signal  chan struct{} // buffered: something changed

	mu        sync.Mutex
	reserved  int
	arrived   []*Delivered
	fetching  bool
	abandoned bool
	// allEmpty: all sources waited in vain in the last call; to ask them without waiting again would tell nothing new.
	allEmpty bool
	// freed: slots have become free since the fetch under way began.
	freed     bool
	last      map[pollSource]lastAnswer
	keepTimer *time.Timer
}

func newPolls(release func([]*Delivered)) *polls {
	return &polls{release: release, signal: make(chan struct{}, 1), last: map[pollSource]lastAnswer{}}
}

// changed: a source may have become ready.
func (p *polls) changed() {
	select {
	case p.signal <- struct{}{}:
	default:
	}
}

// slotsFreed: there are more free slots than the fetch under way was told. Where they were too few to wait on every source it
// ends with nothing, so that it is made anew with more: otherwise they would stay empty until a poll of some empty source is over.
func (p *polls) slotsFreed() {
	p.mu.Lock()
	p.freed = true
	ends := p.fetching && !p.allEmpty
	p.mu.Unlock()
	if ends {
		p.changed()
	}
}

// fetch waits for records, and gives those that came first: not more than maxRecords, often fewer. One call at a time. The end
// of ctx ends it at once; records that come afterwards are released, unless the next call is there.
func (p *polls) fetch(ctx context.Context, sources func() []pollSource, maxRecords int, maxWait time.Duration) []*Delivered {
	p.mu.Lock()
	if p.fetching {
		p.mu.Unlock()
		panic("sharequeue: a fetch of these queues is under way already")
	}
	p.fetching, p.abandoned, p.freed = true, false, false
	if p.keepTimer != nil {
		p.keepTimer.Stop()
	}
	p.mu.Unlock()
	found := p.await(ctx, sources, maxRecords, maxWait)
	p.mu.Lock()
	p.fetching = false
	var left []*Delivered
	if ctx.Err() != nil {
		p.abandoned = true
		left, p.arrived = p.arrived, nil
	} else {
		p.keep()
	}
	p.mu.Unlock()
	p.release(left)
	return found
}

func (p *polls) await(ctx context.Context, sources func() []pollSource, maxRecords int, maxWait time.Duration) []*Delivered {
	deadline := time.Now().Add(maxWait)
	found := p.take(maxRecords)
	if len(found) > 0 || maxRecords <= 0 || ctx.Err() != nil {
		return found
	}
	if now := sources(); maxWait <= 0 || !(p.allEmpty || p.isSole(now)) {
		found = p.ask(ctx, now, maxRecords, maxWait <= 0)
		found = append(found, p.take(maxRecords-len(found))...)
	}
	p.setAllEmpty(false)
	for len(found) == 0 && ctx.Err() == nil {
		left := time.Until(deadline)
		if left <= 0 {
			break
		}
		p.setAllEmpty(p.startPolls(sources(), maxRecords, left))
		if !p.outgrown() {
			p.untilChanged(ctx, left)
		}
		if found = p.take(maxRecords); p.outgrown() {
			break
		}
	}
	if len(found) > 0 {
		p.setAllEmpty(false)
	}
	return found
}

func (p *polls) untilChanged(ctx context.Context, atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-p.signal:
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (p *polls) setAllEmpty(allEmpty bool) {
	p.mu.Lock()
	p.allEmpty = allEmpty
	p.mu.Unlock()
}

// outgrown: not every source could be waited on for want of slots, and by now there are more.
func (p *polls) outgrown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.freed && !p.allEmpty
}

// isSole: a single source need not be asked before it is waited on: a poll with something to give does not wait.
func (p *polls) isSole(sources []pollSource) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reserved == 0 && len(sources) == 1
}

// startPolls starts a poll on each source that is ready. False if some had no slot left.
func (p *polls) startPolls(sources []pollSource, maxRecords int, left time.Duration) bool {
	ready := readyOnes(sources)
	each := 0
	sole := p.isSole(sources)
	p.mu.Lock()
	room := maxRecords - p.reserved - len(p.arrived)
	p.mu.Unlock()
	if each = room; !sole {
		each = fewOf(room)
	}
	enough := each*len(ready) <= room
	wait := min(left, longestPoll)
	if slices.ContainsFunc(sources, pollSource.holds) {
		wait = min(left, longestPollWhileHolding)
	}
	if !enough {
		wait = min(left, turn)
		// Those come first that have waited longest to be asked.
		slices.SortStableFunc(ready, func(a, b pollSource) int { return p.answeredAt(a).Compare(p.answeredAt(b)) })
	}
	for _, source := range ready {
		if room < each || each <= 0 {
			break
		}
		room -= each
		p.reserve(each)
		go p.wait(source, each, wait)
	}
	return enough
}

func (p *polls) wait(source pollSource, maxRecords int, maxWait time.Duration) {
	records := source.poll(maxRecords, maxWait)
	p.mu.Lock()
	p.reserved -= maxRecords
	p.note(source, records)
	abandoned := p.abandoned
	if !abandoned && len(records) > 0 {
		p.arrived = append(p.arrived, records...)
		if !p.fetching {
			p.keep()
		}
	}
	p.mu.Unlock()
	if abandoned {
		p.release(records)
	}
	p.changed()
}

func (p *polls) reserve(count int) {
	p.mu.Lock()
	p.reserved += count
	p.mu.Unlock()
}

func (p *polls) take(maxRecords int) []*Delivered {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(p.arrived), max(0, maxRecords))
	taken := p.arrived[:n:n]
	if p.arrived = p.arrived[n:]; len(p.arrived) == 0 {
		p.arrived = nil
	}
	return taken
}

// keep gives back what arrived unless somebody asks for it soon. The mutex is held.
func (p *polls) keep() {
	if len(p.arrived) == 0 {
		return
	}
	if p.keepTimer != nil {
		p.keepTimer.Stop()
	}
	p.keepTimer = time.AfterFunc(keepFor, func() {
		p.mu.Lock()
		var left []*Delivered
		if !p.fetching {
			left, p.arrived = p.arrived, nil
		}
		p.mu.Unlock()
		p.release(left)
	})
}
