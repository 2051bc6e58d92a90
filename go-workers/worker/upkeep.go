package worker

import (
	"errors"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

// tick keeps up what the runs have: locks are renewed, leases too, what lasts is handed over, what nobody decides is released.
func (l *lane) tick(now time.Time) {
	due := map[*sharequeue.Queue][]*sharequeue.Delivered{}
	renew := func(record *sharequeue.Delivered) {
		queue := l.queues.of(record)
		due[queue] = append(due[queue], record)
	}
	for _, r := range l.all() {
		r.writeProgress(now)
		if l.upkeep(r, now) {
			renew(r.record())
		}
	}
	l.keepUndecided(now, renew)
	l.releaseFromHand(now)
	for queue, records := range due {
		go l.renew(queue, records)
	}
	l.tails.tidy(now)
}

// upkeep does what is due for a run. It says whether its lock is to be renewed.
func (l *lane) upkeep(r *run, now time.Time) (renew bool) {
	values := l.worker.options.Values
	at, highest := monotonicMs(now), l.highestOf(r.key)
	r.mu.Lock()
	if r.phase == over {
		r.mu.Unlock()
		return false
	}
	hold := r.hold()
	if unreported := r.unreported; unreported != nil && r.mayReport(*unreported) != protocol.ReportAfterHandOver {
		r.mu.Unlock()
		l.report(r, *unreported)
		return false
	}
	if r.phase == checking && at-monotonicMs(r.since) > undecidedFor(values) && mayGiveBack(r.delivered, values) {
		r.mu.Unlock()
		l.worker.metrics.checks.WithLabelValues(l.definition.Type, "undecided").Inc()
		l.release(r, errUndecided)
		return false
	}
	if renew = hold.IsRenewalDue(monotonicMs(r.renewedAt), at, values); renew {
		r.renewedAt = now
	}
	heartbeat := !r.heartbeating && hold.IsHeartbeatDue(monotonicMs(r.heartbeatAt), at, values)
	var how protocol.HandOver
	if !r.handingOver && (r.phase == waiting || r.phase == running || r.unreported != nil) {
		how = protocol.DecideHandOver(monotonicMs(r.since), r.key.offset, hold, at, highest, values)
		r.handingOver = how.Reason != ""
	}
	r.mu.Unlock()
	if heartbeat {
		l.heartbeat(r, now)
	}
	if how.Reason != "" {
		l.handOver(r, how)
	}
	return renew && how.Reason == ""
}

var errUndecided = errors.New("the record was not decided in time")

// undecidedFor so many milliseconds a record is held at most: as long as a run that is not handed over, but for as long as a check may
// well take on a busy machine.
func undecidedFor(values protocol.Values) int64 {
	return max(values.HandOverAfterMs, 4*values.LookAgainAfterForgottenMs)
}

// mayGiveBack: not so often that the broker drops the record, or that it has to go back through the log, for which one must know what it is.
func mayGiveBack(record *sharequeue.Delivered, values protocol.Values) bool {
	return record.Delivery < values.GiveBackAtDelivery-1
}

// keepUndecided renews what waits for its schema, or gives it back in the end: others may know it.
func (l *lane) keepUndecided(now time.Time, renew func(*sharequeue.Delivered)) {
	values := l.worker.options.Values
	var late []*sharequeue.Delivered
	l.mu.Lock()
	for record, since := range l.undecided {
		switch {
		case now.Sub(since).Milliseconds() > undecidedFor(values) && mayGiveBack(record, values):
			l.worker.metrics.checks.WithLabelValues(l.definition.Type, "undecided").Inc()
			fallthrough
		case record.Hold().Lost():
			late = append(late, record)
			delete(l.undecided, record)
		case record.LockedUntil().Sub(now) < record.Lock()-time.Duration(values.RenewEveryMs)*time.Millisecond:
			renew(record)
		}
	}
	l.mu.Unlock()
	for _, record := range late {
		l.giveBack(record)
	}
}

// giveBack a record that no run was made of.
func (l *lane) giveBack(record *sharequeue.Delivered) {
	l.queues.of(record).Release(record)
	l.slots.end()
	l.slots.settle()
}

func (l *lane) renew(queue *sharequeue.Queue, records []*sharequeue.Delivered) {
	lost := queue.Renew(l.ctx, records)
	if len(lost) == 0 {
		return
	}
	l.worker.metrics.lockLost.WithLabelValues(l.definition.Type).Add(float64(len(lost)))
	for _, record := range lost {
		l.mu.Lock()
		r := l.runs[recordKey{record.Topic, record.Partition, record.Offset}]
		l.mu.Unlock()
		if r == nil {
			continue
		}
		r.mu.Lock()
		r.lockLost = r.lockLost || r.delivered == record
		r.mu.Unlock()
		l.upkeep(r, time.Now())
	}
}

// sessionLost: what was locked on the hold is free for others in a moment. It is handed over at once, so that they see that it lives.
func (l *lane) sessionLost(hold *sharequeue.Hold) {
	now := time.Now()
	l.hand.take(func(record *sharequeue.Delivered) bool { return record.Hold() == hold })
	for _, r := range l.all() {
		if r.record().Hold() == hold {
			l.upkeep(r, now)
		}
	}
}
