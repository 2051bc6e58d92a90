package worker

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// A recordCheck is what is known of a record that may have run before.
type recordCheck struct {
	// highest offset had from its partition before it came.
	highest   int64
	suspicion protocol.Suspicion
	findings  protocol.Findings
	// seenUpTo is the offset up to which its events partition was read.
	seenUpTo int64
}

// A checkGroup are records of one fetch that one scan serves: their events lie in one partition, and they look as long.
type checkGroup struct {
	lane      *lane
	facts     *sessionFacts
	topic     string
	partition int32
	forgotten bool
	from      int64 // the earliest time to look back to
	runs      []*run
}

type checkKey struct {
	topic     string
	partition int32
	forgotten bool
}

// check records of a fetch that may have run before. Each is accepted, handed over, given back, or run.
func (l *lane) check(suspects []*run) {
	byHold := map[*sharequeue.Hold][]*run{}
	for _, r := range suspects {
		hold := r.record().Hold()
		byHold[hold] = append(byHold[hold], r)
	}
	for hold, runs := range byHold {
		// What no leader can have forgotten need not wait for what is asked about the session.
		var sure, unsure []*run
		for _, r := range runs {
			if l.suspicionOf(r, r.check.highest, nil).Forgotten {
				unsure = append(unsure, r)
			} else {
				sure = append(sure, r)
			}
		}
		facts := l.queues.factsOf(hold)
		l.checkKnowing(facts, sure)
		if len(unsure) > 0 {
			go l.checkOnceKnown(facts, unsure)
		}
	}
}

func (l *lane) checkOnceKnown(facts *sessionFacts, runs []*run) {
	if facts.wait(l.ctx) {
		l.checkKnowing(facts, runs)
		return
	}
	for _, r := range runs {
		l.forget(r, errLockPassed)
	}
}

func (l *lane) checkKnowing(facts *sessionFacts, runs []*run) {
	groups := map[checkKey]*checkGroup{}
	lent := false
	for _, r := range runs {
		r.check.suspicion = l.suspicionOf(r, r.check.highest, facts)
		if !r.check.suspicion.Any() {
			l.startChecked(r, protocol.CheckDecision{Action: protocol.Run, Starts: 1})
			continue
		}
		topic, partition := eventsOf(r.queued)
		key := checkKey{topic, partition, r.check.suspicion.Forgotten}
		if groups[key] == nil {
			groups[key] = &checkGroup{
				lane: l, facts: facts, topic: topic, partition: partition, forgotten: key.forgotten, from: math.MaxInt64,
			}
		}
		groups[key].add(r)
		if !r.isExecuting() && l.lent.lend(r) {
			lent = true
		}
	}
	for _, group := range groups {
		go group.run()
	}
	if lent {
		l.slots.wake()
	}
}

func (g *checkGroup) add(r *run) {
	worker := g.lane.worker
	record := r.record()
	subject := protocol.LookBackSubject{
		AppendedAt: record.AppendedAt, OccurredAt: r.queued.OccurredAt, Delivery: record.Delivery,
	}
	known := protocol.LookBackKnowledge{Now: worker.clock.now()}
	for _, at := range record.UnavailableAt() {
		known.UnavailableAt = append(known.UnavailableAt, worker.clock.at(at))
	}
	if g.forgotten {
		known.LastEventOfOldLeader = g.facts.lastEventOfOldLeader(g.lane.ctx, g.topic, g.partition)
	}
	values := worker.options.Values
	values.LockMs = record.Lock().Milliseconds() // whatever the broker has made of what was asked for
	g.from = min(g.from, protocol.LookBackFrom(subject, r.check.suspicion, known, values))
	g.runs = append(g.runs, r)
}

// run looks, waits a moment in which a living worker would hand over, looks again, and acts.
func (g *checkGroup) run() {
	from := atTime(g.from)
	for looks := int32(1); len(g.runs) > 0; looks++ {
		found, end, ok := g.look(from)
		if !ok {
			return
		}
		var again []*run
		var after time.Duration
		for _, r := range g.runs {
			decision := g.decide(r, found[r.queued.TaskID], end, looks)
			if decision.Action == protocol.LookAgain {
				again, after = append(again, r), max(after, time.Duration(decision.AfterMs)*time.Millisecond)
			} else if !r.isOver() {
				g.lane.act(r, decision)
			}
		}
		g.runs = again
		from = atOffset(end)
		if len(again) > 0 && !pause(g.lane.ctx, after) {
			return
		}
	}
}

// look until the log answers, as long as there is anybody to look for: what is undecided for too long is released meanwhile.
func (g *checkGroup) look(from position) (found map[string][]loggedEvent, end int64, ok bool) {
	for failures := 1; ; failures++ {
		tasks := map[string]bool{}
		for _, r := range g.runs {
			if !r.isOver() {
				tasks[r.queued.TaskID] = true
			}
		}
		if len(tasks) == 0 {
			return nil, 0, false
		}
		found, end, err := g.lane.tails.look(g.lane.ctx, g.topic, g.partition, from, toEnd, tasks)
		if err == nil {
			return found, end, true
		}
		g.lane.logger.Warn("the events of records that may have run before cannot be read; trying again",
			"topic", g.topic, "partition", g.partition, "records", len(g.runs), "error", err)
		if !pause(g.lane.ctx, retryPause(failures)) {
			return nil, 0, false
		}
	}
}

func (g *checkGroup) decide(r *run, events []loggedEvent, end int64, looks int32) protocol.CheckDecision {
	worker := g.lane.worker
	r.findIn(events)
	r.check.seenUpTo = end
	eventsEnd := int64(0)
	if g.forgotten {
		eventsEnd = g.facts.eventsEnds[g.partition]
	}
	takeover := "at-once"
	if g.lane.definition.TakeoverAfterLease {
		takeover = "after-lease"
	}
	return protocol.DecideDelivered(r.check.findings, protocol.CheckContext{
		WorkerID: worker.options.WorkerID, Takeover: takeover, Delivery: r.record().Delivery, Recoveries: r.queued.Recoveries,
		Forgotten: g.forgotten, LeaderIsNew: r.record().LeaderEpoch < g.facts.hold.LeaderEpoch, Copy: r.check.suspicion.Copy,
		EventsEndAtSession: eventsEnd, Looks: looks,
		SessionAgeMs: time.Since(g.facts.hold.OpenedAt).Milliseconds(), HeldMs: r.heldFor().Milliseconds(),
	}, worker.options.Values)
}

// findIn notes what the log says of the attempt, its own events left out.
func (r *run) findIn(events []loggedEvent) {
	r.mu.Lock()
	checked := protocol.CheckedRecord{Queued: r.queued, Partition: r.delivered.Partition, Offset: r.delivered.Offset}
	r.mu.Unlock()
	for _, one := range r.others(events) {
		r.check.findings.Add(checked, one.event, one.offset)
	}
}

// act on what was decided, unless the lock has passed meanwhile: then the record is somebody else's.
func (l *lane) act(r *run, decision protocol.CheckDecision) {
	if !r.isHeld() {
		decision = protocol.CheckDecision{Action: protocol.Drop}
	}
	l.worker.metrics.checks.WithLabelValues(l.definition.Type, string(decision.Action)).Inc()
	values := l.worker.options.Values
	switch decision.Action {
	case protocol.Accept:
		l.accept(r)
	case protocol.HandOverForStarter:
		stamp := l.stamp()
		stamp.WorkerID = decision.Starter
		l.settleWith(r, protocol.HandedOver(r.queued, values.LeaseMs, stamp))
	case protocol.Fail:
		l.settleWith(r, protocol.WorkerLost(r.queued.Head, r.queued.Failures, fmt.Sprintf("Started %d times in vain", values.MaxStarts), l.stamp()))
	case protocol.GiveBack:
		l.settleWith(r, protocol.WorkerStopped(r.queued, fmt.Sprintf("Delivered %d times", r.record().Delivery), l.stamp()))
	case protocol.Run:
		l.startChecked(r, decision)
	default:
		l.forget(r, errLockPassed)
	}
}

// settleWith writes the event that settles the record, and accepts it once that is on the log.
func (l *lane) settleWith(r *run, event schemas.Event) {
	l.append(r, event, &appender.Record{
		Withdraw: func(bool) bool { return r.isOver() },
		Done: func(err error) {
			if err == nil {
				l.accept(r)
			} else {
				l.forget(r, err) // its lock ends with the session, or passes
			}
		},
	})
}

// pause is false where ctx ended first.
func pause(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
