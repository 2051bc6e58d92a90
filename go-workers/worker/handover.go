package worker

import (
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
)

// handOver moves the run's lease from the broker's lock to the log; r.handingOver is set already. It ends with handedOver, or
// the run is overtaken, or what is decided at the next tick.
func (l *lane) handOver(r *run, how protocol.HandOver) {
	l.worker.metrics.handOvers.WithLabelValues(l.definition.Type, how.Reason).Inc()
	if !how.LookFirst {
		l.writeHandOver(r, how)
		return
	}
	go func() {
		r.mu.Lock()
		from := r.lookStart()
		r.mu.Unlock()
		events, end, ok := l.look(r, from, toEnd)
		if !ok || l.isOvertaken(r, events) {
			return
		}
		r.mu.Lock()
		r.lookFrom = atOffset(end)
		r.mu.Unlock()
		l.writeHandOver(r, how)
	}()
}

func (l *lane) writeHandOver(r *run, how protocol.HandOver) {
	event := protocol.HandedOver(r.queued, l.worker.options.Values.LeaseMs, l.stamp())
	record := &appender.Record{Withdraw: func(again bool) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.phase == over || again && (how.LookFirst || !time.Now().Before(r.delivered.LockedUntil()))
	}}
	record.Done = func(err error) {
		if err != nil {
			r.mu.Lock()
			r.handOverEnded() // to be decided anew
			r.mu.Unlock()
			return
		}
		r.mu.Lock()
		r.heartbeatAt = record.SentAt
		// Where the answer was long under way, or read late, somebody may have had the run before the hand-over came.
		look, from := how.LookAfter || !time.Now().Before(r.delivered.LockedUntil()), r.lookStart()
		r.mu.Unlock()
		if !look {
			l.handedOver(r, record.SentAt)
			return
		}
		go func() {
			events, _, ok := l.look(r, from, record.Offset)
			if ok && !l.isOvertaken(r, events) {
				l.handedOver(r, record.SentAt)
			}
		}()
	}
	l.append(r, event, record)
}

func (l *lane) handedOver(r *run, sentAt time.Time) {
	r.mu.Lock()
	record, unreported, isOver := r.delivered, r.unreported, r.phase == over
	hold := r.hold().HeartbeatAcknowledged(monotonicMs(sentAt), monotonicMs(time.Now()), l.worker.options.Values)
	r.leaseUntil, r.overtaken = hold.LeaseUntil, hold.Overtaken
	r.handOverEnded()
	r.mu.Unlock()
	if isOver {
		return
	}
	l.queues.of(record).Accept(record)
	if unreported != nil {
		l.report(r, *unreported)
	}
}

// isOvertaken: events behind the run's own start say that somebody else has it. It goes on as a zombie: it may still succeed.
func (l *lane) isOvertaken(r *run, events []loggedEvent) bool {
	overtaken := false
	for _, one := range r.others(events) {
		overtaken = overtaken || protocol.IsOvertakenBy(one.event, r.queued.Head, l.worker.options.WorkerID)
	}
	if !overtaken {
		return false
	}
	l.worker.metrics.overtaken.WithLabelValues(l.definition.Type).Inc()
	r.mu.Lock()
	r.overtaken = true
	r.handOverEnded()
	unreported := r.unreported
	r.mu.Unlock()
	if unreported != nil {
		l.report(r, *unreported)
	}
	return true
}

// heartbeat says that the run goes on, and what its handler said last of its progress.
func (l *lane) heartbeat(r *run, now time.Time) {
	r.mu.Lock()
	if r.phase == over || r.heartbeating {
		r.mu.Unlock()
		return
	}
	r.heartbeating, r.unwritten, r.heartbeatAt, r.progressWrittenAt = true, false, now, now
	progress, note := r.progress, r.note
	r.mu.Unlock()
	record := &appender.Record{Withdraw: func(bool) bool { return r.isOver() }}
	record.Done = func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heartbeating = false
		if err == nil && r.leaseUntil != nil {
			hold := r.hold().HeartbeatAcknowledged(monotonicMs(record.SentAt), monotonicMs(time.Now()), l.worker.options.Values)
			r.leaseUntil, r.overtaken = hold.LeaseUntil, hold.Overtaken
		}
	}
	l.append(r, protocol.Progress(r.queued, progress, note, l.worker.options.Values.LeaseMs, l.stamp()), record)
}
