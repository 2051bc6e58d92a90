package worker

import "sync"

// A gate lets runs begin: in turn, and one that runs alone only when nothing else runs in the process; then nothing else until it
// has ended. So a task that kills processes takes no neighbours with it.
type gate struct {
	// admitted is called for a run that may begin, at once or after it has waited. It must not wait.
	admitted func(r *run, waited bool)
	// opened is called when something may be fetched again.
	opened func()

	mu      sync.Mutex
	inside  int
	alone   bool // whoever is inside is alone
	queue   []*run
	waiting int // in the queue, of those that run alone
}

// Where a run is with regard to the gate; guarded by the gate's mutex.
type gatePlace int

const (
	outside gatePlace = iota
	queued
	inside
)

// enter admits the run now, or when its turn comes.
func (g *gate) enter(r *run) {
	g.mu.Lock()
	if len(g.queue) > 0 || !g.isFree(r) {
		r.place = queued
		g.queue = append(g.queue, r)
		if r.alone {
			g.waiting++
		}
		g.mu.Unlock()
		return
	}
	g.letIn(r)
	g.mu.Unlock()
	g.admitted(r, false)
}

// leave is called when the run has ended, or shall not begin any more.
func (g *gate) leave(r *run) {
	g.mu.Lock()
	switch r.place {
	case inside:
		g.inside--
		g.alone = g.alone && g.inside > 0
	case queued:
		for i, one := range g.queue {
			if one == r {
				g.queue = append(g.queue[:i], g.queue[i+1:]...)
				break
			}
		}
		if r.alone {
			g.waiting--
		}
	}
	r.place = outside
	var next []*run
	for len(g.queue) > 0 && g.isFree(g.queue[0]) {
		one := g.queue[0]
		g.queue = g.queue[1:]
		if one.alone {
			g.waiting--
		}
		g.letIn(one)
		next = append(next, one)
	}
	opened := (len(next) > 0 || r.alone) && !g.isBlocked()
	g.mu.Unlock()
	for _, one := range next {
		g.admitted(one, true)
	}
	if opened {
		g.opened()
	}
}

func (g *gate) isFree(r *run) bool { return !g.alone && (!r.alone || g.inside == 0) }

func (g *gate) letIn(r *run) {
	r.place = inside
	g.inside++
	g.alone = r.alone
}

// blocked: nothing is to be fetched now, because somebody runs alone, or waits for that.
func (g *gate) blocked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isBlocked()
}

func (g *gate) isBlocked() bool { return g.alone || g.waiting > 0 }
