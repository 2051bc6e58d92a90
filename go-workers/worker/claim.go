package worker

import (
	"errors"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
)

var (
	errLockPassed = errors.New("the lock on the record has passed")
	errNoSlot     = errors.New("no slot came free in time")
	errStopped    = errors.New("the worker stops")
)

// startChecked lets a checked record start when its turn comes.
func (l *lane) startChecked(r *run, decision protocol.CheckDecision) {
	r.starts, r.alone = decision.Starts, decision.Alone
	r.mu.Lock()
	if r.phase == checking {
		r.phase = waiting
	}
	r.mu.Unlock()
	l.lent.whenBack(r)
}

// admitted by the gate: the run begins.
func (l *lane) admitted(r *run, waited bool) {
	if r.isOver() {
		l.worker.gate.leave(r)
		return
	}
	if waited {
		if held, later := r.held(func() { l.admitted(r, true) }); !held {
			if !later {
				l.forget(r, errLockPassed)
			}
			return
		}
	}
	if failure := protocol.Expired(r.queued, r.starts, l.worker.clock.now()); failure != nil {
		l.conclude(r, conclusion{outcome: protocol.Outcome{Error: failure}})
		return
	}
	record := r.record()
	event := protocol.Started(r.queued, protocol.Start{
		Delivery: record.Delivery, Starts: r.starts, LeaseMs: l.worker.options.Values.LeaseMs,
		QueuePartition: record.Partition, QueueOffset: record.Offset,
	}, l.stamp())
	if r.check == nil {
		// Handlers of first deliveries start at once: TaskStarted precedes their outcome on the log all the same.
		l.append(r, event, &appender.Record{})
		l.runHandler(r)
		return
	}
	started := &appender.Record{Withdraw: func(bool) bool { return r.mayNotStart() }}
	started.Done = func(err error) {
		if err != nil {
			l.forget(r, errLockPassed)
			return
		}
		go l.claim(r, started.Offset)
	}
	l.append(r, event, started)
}

// claim a checked record whose start is on the log: what came to the log between the last look and the start decides.
func (l *lane) claim(r *run, startedAt int64) {
	events, _, ok := l.look(r, atOffset(r.check.seenUpTo), startedAt)
	if !ok {
		return
	}
	r.findIn(events)
	r.claimedAt(startedAt)
	again := func() { l.claim(r, startedAt) }
	held, later := r.held(again)
	if !held && !later {
		l.upkeep(r, time.Now()) // its start is on the log: whoever sees it waits for a hand-over
		held, later = r.held(again)
	}
	switch protocol.DecideClaim(r.check.findings, held).Action {
	case protocol.Run:
		l.runHandler(r)
	case protocol.Accept:
		l.accept(r)
	default:
		if !later {
			l.forget(r, errLockPassed)
		}
	}
}

// claimedAt is where its start is on the log: from there on that tells whether somebody else has it. But where the lock has passed, a start
// just before this one may be that of whoever has the record now: then its hand-over must see it.
func (r *run) claimedAt(offset int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookFrom = atOffset(offset)
	if !r.hold().IsHeld(monotonicMs(time.Now())) {
		r.lookFrom = atOffset(r.check.seenUpTo)
	}
}

// look for events of a run's task until the log answers; false where the run is over before.
func (l *lane) look(r *run, from position, to int64) (events []loggedEvent, end int64, ok bool) {
	topic, partition := eventsOf(r.queued)
	for failures := 1; !r.isOver(); failures++ {
		found, end, err := l.tails.look(l.ctx, topic, partition, from, to, map[string]bool{r.queued.TaskID: true})
		if err == nil {
			return found[r.queued.TaskID], end, true
		}
		l.logger.Warn("the events of a run cannot be read; trying again", "taskId", r.queued.TaskID, "error", err)
		if !pause(l.ctx, retryPause(failures)) {
			break
		}
	}
	return nil, 0, false
}
