package worker

import (
	"math"
	"sync/atomic"
	"time"
)

const (
	// leadStep: a fetch brings what is used up within about this time, beside the time that it takes itself.
	leadStep = 10 * time.Millisecond
	// leadMemory: averages go by about so long.
	leadMemory = 100 * time.Millisecond
	// leadPart: never more than the slots divided by this. The next tasks may take longer than those before.
	leadPart = 2
)

// A lead says how many records to have in hand before there are slots for them, so that a slot that comes free need not wait for a
// fetch: as many as come free until a fetch that leaves now is answered, and for a step of 10 ms more, so that fetches are few. None
// where slots come free one by one and seldom, and none unless the queues have just had what they were asked for.
type lead struct {
	most       int
	answeredAt time.Time
	freed      int
	// Averages: slots that come free, and the time of a fetch, both in seconds.
	freedPerSecond, fetchSeconds float64
	backlog                      bool
	// rate is freedPerSecond, for other goroutines.
	rate atomic.Int64
}

func newLead(slots int, now time.Time) *lead { return &lead{most: slots / leadPart, answeredAt: now} }

// answered: a fetch was answered after so long. freed is how many slots have come free in all by now.
func (l *lead) answered(asked, given int, took time.Duration, freed int, now time.Time) {
	if since := now.Sub(l.answeredAt).Seconds(); since > 0 {
		kept := math.Exp(-since / leadMemory.Seconds())
		l.freedPerSecond = kept*l.freedPerSecond + (1-kept)*float64(freed-l.freed)/since
		l.fetchSeconds = kept*l.fetchSeconds + (1-kept)*took.Seconds()
		l.answeredAt, l.freed = now, freed
		l.rate.Store(int64(l.freedPerSecond))
	}
	// A part of the slots may have been spent on asking queues that were empty.
	l.backlog = 2*given >= asked
}

// records to have in hand.
func (l *lead) records() int {
	if !l.backlog {
		return 0
	}
	return min(l.most, int(l.freedPerSecond*(l.fetchSeconds+leadStep.Seconds())))
}

// freedWithin says how many slots come free in a time, as far as one can tell. Any goroutine may ask.
func (l *lead) freedWithin(lasts time.Duration) int {
	return int(float64(l.rate.Load()) * lasts.Seconds())
}

// step is how many of them may be missing before they are asked for; one at least.
func (l *lead) step() int {
	return max(1, min((l.records()+1)/2, int(l.freedPerSecond*leadStep.Seconds())))
}
