package worker

import (
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

// giveUpWaiting gives back what has not begun, so that others may take it during the grace.
func (l *lane) giveUpWaiting() {
	l.releaseOf(func(*sharequeue.Delivered) bool { return true })
	for _, r := range l.all() {
		r.mu.Lock()
		waits := r.phase == checking || r.phase == waiting && r.leaseUntil == nil && !r.handingOver
		waits = waits && !r.executing
		r.mu.Unlock()
		if waits {
			l.release(r, errStopped)
		}
	}
	l.giveUpUndecided()
}

// giveUp tells what still runs to stop, and gives it back: what is locked to the broker, what is handed over through the log.
// Outcomes on their way stay on their way.
func (l *lane) giveUp() (count int) {
	for _, r := range l.all() {
		r.mu.Lock()
		record, ongoing := r.delivered, r.phase != ended && r.phase != over
		decision := protocol.DecideStop(r.leaseUntil != nil, r.hold().IsHeld(monotonicMs(time.Now())))
		r.mu.Unlock()
		if !ongoing {
			continue
		}
		count++
		switch decision {
		case protocol.StopRelease:
			l.queues.of(record).Release(record)
		case protocol.StopGiveBack:
			l.append(r, protocol.WorkerStopped(r.queued, "The worker stops", l.stamp()), &appender.Record{})
		}
		l.forget(r, &taskerror.Error{Code: "WORKER_STOPPED", Message: "The worker stops"})
	}
	return count + l.giveUpUndecided()
}

func (l *lane) giveUpUndecided() int {
	l.mu.Lock()
	undecided := l.undecided
	l.undecided = map[*sharequeue.Delivered]time.Time{}
	l.mu.Unlock()
	for record := range undecided {
		l.giveBack(record)
	}
	return len(undecided)
}
