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

// ask asks sources one after the other, each for all slots that are left, until one gives something. Beside it, and without waiting
// for their answers, those before it that had nothing the last time are asked for a few, and those behind it where it had too little:
// the answer of an empty queue takes as long as that of a full one, and what was found would wait for it. Who does not wait (now) is
// told of all there is.
func (p *polls) ask(ctx context.Context, sources []pollSource, maxRecords int, now bool) []*Delivered {
	var beside sync.WaitGroup
	if now {
		defer beside.Wait()
	}
	ready := readyOnes(sources)
	giving := slices.IndexFunc(ready, p.isGiving)
	var found []*Delivered
	for i, source := range ready {
		room := p.room(maxRecords - len(found))
		if room <= 0 || ctx.Err() != nil {
			break
		}
		if !source.ready() || giving >= 0 && p.wasJustEmpty(source) {
			continue
		}
		few := fewOf(room)
		switch {
		case len(found) > 0:
			p.askBeside(&beside, source, room)
		case i < giving && few < room:
			p.askBeside(&beside, source, few)
		default:
			if found = p.askNow(source, room); len(found) == room {
				return found
			}
		}
	}
	return found
}

// room says how many of so many slots are left.
func (p *polls) room(slots int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slots - len(p.arrived) - p.reserved
}

func (p *polls) askNow(source pollSource, maxRecords int) []*Delivered {
	var wait time.Duration
	if p.isGiving(source) {
		wait = busyWait
	}
	p.reserve(maxRecords)
	records := source.poll(maxRecords, wait)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserved -= maxRecords
	p.note(source, records)
	return records
}

// askBeside asks for what arrives when it arrives.
func (p *polls) askBeside(asked *sync.WaitGroup, source pollSource, maxRecords int) {
	p.reserve(maxRecords)
	asked.Go(func() { p.wait(source, maxRecords, 0) })
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

// answeredAt says when it last answered; zero where it was never asked.
func (p *polls) answeredAt(source pollSource) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[source].at
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
