package sharequeue

import (
	"context"
	"time"
)

// A Set is several queues whose records share one pool of slots, such as a task type's three priorities.
//
// A fetch asks the queues in order, each for as many records as slots are left, but those that were empty a moment ago only now
// and then and for a few, while another gives something. It waits on all of them together only when all were empty. A fetch that
// waits at the broker cannot be called back, so it reserves the few slots that it may fill until it is answered (within 500 ms):
// no more records than maxRecords are ever under way.
//
// maxRecords is always all free slots, reserved or not: the set knows what is reserved. Call Fetch whenever a slot is free, and
// SlotsFreed when one more is while it waits: it may then give nothing, to be called anew with more.
// What arrives while nobody asks is given back after a second. To stop or pause, end the context: what arrives afterwards is
// released at once. A queue belongs to one set, and is not fetched from by itself then.
type Set struct {
	queues []*Queue
	polls  *polls
}

// NewSet joins queues to a set.
func NewSet(queues ...*Queue) *Set {
	set := &Set{queues: queues, polls: newPolls(func(records []*Delivered) {
		for _, record := range records {
			settle(record, ackRelease)
		}
	})}
	for _, queue := range queues {
		queue.onChange(set.polls.changed)
	}
	return set
}

// Fetch is as [Queue.Fetch], of the queues in this order; those left out are not asked. A record's Topic says from which it is.
func (set *Set) Fetch(ctx context.Context, order []*Queue, maxRecords int, maxWait time.Duration) ([]*Delivered, error) {
	closed := 0
	for _, queue := range order {
		if queue.isClosed() {
			closed++
		}
	}
	if closed == len(order) {
		return nil, ErrClosed
	}
	sources := func() []pollSource {
		var all []pollSource
		for _, queue := range order {
			all = append(all, queue.sources()...)
		}
		return all
	}
	return set.polls.fetch(ctx, sources, maxRecords, maxWait), nil
}

// SlotsFreed says that more slots are free than the fetch under way was told.
func (set *Set) SlotsFreed() { set.polls.slotsFreed() }
