package worker

import (
	"slices"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

// overtakenWithin: one that has been in hand for so long is overtaken by none of a higher priority. Otherwise it might be given back for that.
const overtakenWithin = 100 * time.Millisecond

// longestInHand: what came before its slot waits no longer, should the tasks before it last. Others may have slots.
const longestInHand = time.Second

// A hand holds records that came a little before their slots, in the order in which they begin: by priority, and as they came. Nothing is
// on the log of them.
type hand struct {
	mu      sync.Mutex
	records []inHand
}

type inHand struct {
	record *sharequeue.Delivered
	// highest offset that had come from its partition before it.
	highest int64
	// rank of its priority, 0 for the most urgent one.
	rank int
}

func (h *hand) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.records)
}

func (h *hand) put(now time.Time, records ...inHand) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range records {
		at := len(h.records)
		for at > 0 && one.rank < h.records[at-1].rank && now.Sub(h.records[at-1].record.FetchedAt()) < overtakenWithin {
			at--
		}
		h.records = slices.Insert(h.records, at, one)
	}
}

// next takes the first one out, where begin says that it may.
func (h *hand) next(begin func() bool) (inHand, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.records) == 0 || !begin() {
		return inHand{}, false
	}
	first := h.records[0]
	h.records[0] = inHand{}
	h.records = h.records[1:]
	return first, true
}

// take out those of which that is so.
func (h *hand) take(is func(*sharequeue.Delivered) bool) (taken []*sharequeue.Delivered) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = slices.DeleteFunc(h.records, func(one inHand) bool {
		if !is(one.record) {
			return false
		}
		taken = append(taken, one.record)
		return true
	})
	return taken
}

// takeFromHand begins what is in hand, as far as slots are free.
func (l *lane) takeFromHand() {
	var suspects []*run
	for {
		one, ok := l.hand.next(l.slots.tryBegin)
		if !ok {
			break
		}
		if r := l.begin(one.record, one.highest); r != nil {
			suspects = append(suspects, r)
		}
	}
	if len(suspects) > 0 {
		l.check(suspects)
	}
}

// releaseFromHand gives back what has been in hand for too long; not what the broker would drop after a few deliveries more.
func (l *lane) releaseFromHand(now time.Time) {
	l.releaseOf(func(record *sharequeue.Delivered) bool {
		return now.Sub(record.FetchedAt()) > longestInHand && mayGiveBack(record, l.worker.options.Values)
	})
	for _, r := range l.lent.waitingSince(now.Add(-longestInHand)) {
		r.mu.Lock()
		mayRelease := r.leaseUntil == nil && !r.handingOver && mayGiveBack(r.delivered, l.worker.options.Values)
		r.mu.Unlock()
		if mayRelease {
			l.release(r, errNoSlot)
		}
	}
}

func (l *lane) releaseOf(is func(*sharequeue.Delivered) bool) {
	for _, record := range l.hand.take(is) {
		l.queues.of(record).Release(record)
	}
}
