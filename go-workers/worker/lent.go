package worker

import (
	"slices"
	"sync"
	"time"
)

// lentSlots are those of runs that are being checked, lent to other tasks meanwhile. A check may take half a second, in which a slot serves
// many short tasks. When it is decided that a run is to begin it has the next slot that comes free, before what is in hand.
type lentSlots struct {
	slots *slots
	// most that are lent: as many as come free while a check lasts, so that those who have lent theirs soon have one again.
	most func() int
	// begin a run that has a slot again.
	begin func(*run)

	mu      sync.Mutex
	runs    map[*run]bool // that have lent their slots
	waiting []waitingRun
}

// A waitingRun would begin if it had a slot.
type waitingRun struct {
	run   *run
	since time.Time
}

// lend the run's slot, if it may. Whoever calls it wakes those who wait for slots.
func (l *lentSlots) lend(r *run) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.runs) >= l.most() {
		return false
	}
	l.runs[r] = true
	l.slots.lend()
	return true
}

// whenBack lets the run begin when it has a slot: at once where it has kept its own, or one is free.
func (l *lentSlots) whenBack(r *run) {
	l.mu.Lock()
	lent := l.runs[r]
	if lent {
		l.waiting = append(l.waiting, waitingRun{run: r, since: time.Now()})
	}
	l.mu.Unlock()
	if lent {
		l.giveBack()
	} else {
		l.begin(r)
	}
}

// giveBack slots that have come free to those that wait for one.
func (l *lentSlots) giveBack() {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 || !l.slots.tryTakeBack() {
			l.mu.Unlock()
			return
		}
		r := l.waiting[0].run
		l.waiting = slices.Delete(l.waiting, 0, 1)
		delete(l.runs, r)
		l.mu.Unlock()
		l.begin(r)
	}
}

// drop a run that will not begin. False where it has its slot.
func (l *lentSlots) drop(r *run) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lent := l.runs[r]
	delete(l.runs, r)
	if lent {
		l.waiting = slices.DeleteFunc(l.waiting, func(one waitingRun) bool { return one.run == r })
	}
	return lent
}

// waitingCount is how many runs would begin if they had a slot.
func (l *lentSlots) waitingCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// waitingSince gives those that have waited since before a time.
func (l *lentSlots) waitingSince(before time.Time) (runs []*run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.waiting {
		if one.since.Before(before) {
			runs = append(runs, one.run)
		}
	}
	return runs
}
