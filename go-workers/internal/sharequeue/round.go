package sharequeue

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// busyWait: where there was something the last time, an answer at once may be empty only because the broker serves another
	// member just then.
	busyWait = 10 * time.Millisecond
	// emptyFor: a source that had nothing is not asked again for so long while another one gives.
	emptyFor = 20 * time.Millisecond
)

// A round asks sources one after the other, each for all slots that are left. But those that had nothing the last time are asked
// for a few together with the first one that had something: the answer of an empty queue takes as long as that of a full one.
type round struct {
	*polls
	maxRecords int
	found      []*Delivered // guarded by the polls' mutex
}

func (p *polls) ask(ctx context.Context, sources []pollSource, maxRecords int) []*Delivered {
	r := round{polls: p, maxRecords: maxRecords}
	ready := readyOnes(sources)
	giving := slices.IndexFunc(ready, p.isGiving)
	var probes sync.WaitGroup
	for i, source := range ready {
		room := r.room()
		if room <= 0 || ctx.Err() != nil {
			break
		}
		if !source.ready() || giving >= 0 && p.wasJustEmpty(source) {
			continue
		}
		if few := fewOf(room); i < giving && few < room {
			poll := r.begin(source, few)
			probes.Go(poll)
		} else {
			r.begin(source, room)()
		}
	}
	probes.Wait()
	return r.found
}

// room says how many slots are left.
func (r *round) room() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.maxRecords - len(r.found) - len(r.arrived) - r.reserved
}

// begin reserves slots, and gives the poll that fills them.
func (r *round) begin(source pollSource, slots int) (poll func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved += slots
	var wait time.Duration
	if len(r.found) == 0 && r.last[source].gave {
		wait = busyWait
	}
	return func() {
		records := source.poll(slots, wait)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reserved -= slots
		r.note(source, records)
		r.found = append(r.found, records...)
	}
}

func readyOnes(sources []pollSource) []pollSource {
	var ready []pollSource
	for _, source := range sources {
		if source.ready() {
			ready = append(ready, source)
		}
	}
	return ready
}

// isGiving: it had something when it was last asked.
func (p *polls) isGiving(source pollSource) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[source].gave
}

// wasJustEmpty: while another one gives it need not be asked again.
func (p *polls) wasJustEmpty(source pollSource) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.last[source]
	return !last.gave && time.Since(last.at) < emptyFor
}

// note what a source gave. The mutex is held.
func (p *polls) note(source pollSource, records []*Delivered) {
	p.last[source] = lastAnswer{len(records) > 0, time.Now()}
}

func fewOf(room int) int { return max(1, room/reservedPart) }

// A lastAnswer is what a source had when it was last asked.
type lastAnswer struct {
	gave bool
	at   time.Time
}
