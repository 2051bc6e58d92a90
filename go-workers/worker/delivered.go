package worker

import (
	"errors"
	"fmt"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	firstLearnPause   = 400 * time.Millisecond
	longestLearnPause = 10 * time.Second
)

// take begins what a fetch brought, each in a slot: first deliveries start at once, others are checked. What no slot is free for stays
// in hand until one is.
func (l *lane) take(records []*sharequeue.Delivered) {
	l.worker.metrics.fetched.WithLabelValues(l.definition.Type).Observe(float64(len(records)))
	newest := int64(0)
	came := make([]inHand, len(records))
	for i, record := range records {
		newest = max(newest, record.AppendedAt)
		came[i] = inHand{record: record, highest: l.noteHighest(record), rank: l.queues.rankOf(record)}
	}
	l.worker.clock.saw(newest)
	l.hand.put(time.Now(), came...)
	l.takeFromHand()
}

// begin a record in the slot that was taken for it. It gives the run where that is to be checked.
func (l *lane) begin(record *sharequeue.Delivered, highest int64) *run {
	now := time.Now()
	if record.Hold().Lost() || !record.LockedUntil().After(now) {
		l.slots.cede() // it comes again, to whomever
		return nil
	}
	r, resumed := l.resume(record)
	if resumed {
		l.slots.cede()
		return r
	}
	return l.read(record, highest, now)
}

// noteHighest gives the highest offset had from the record's partition before it; -1 where none.
func (l *lane) noteHighest(record *sharequeue.Delivered) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	partition := recordKey{topic: record.Topic, partition: record.Partition}
	before, had := l.highest[partition]
	if !had {
		before = -1
	}
	l.highest[partition] = max(before, record.Offset)
	return before
}

// resume: a worker that is handed what it still runs keeps running it. True also for what it has ended but not yet accepted. Where
// somebody else has had the run meanwhile, the log says what has become of it, and the handler goes on only if that lets the run
// start again: then it is given to be checked.
func (l *lane) resume(record *sharequeue.Delivered) (check *run, resumed bool) {
	l.mu.Lock()
	r := l.runs[recordKey{record.Topic, record.Partition, record.Offset}]
	l.mu.Unlock()
	if r == nil {
		return nil, false
	}
	r.mu.Lock()
	if r.phase == over {
		r.mu.Unlock()
		return nil, false
	}
	r.delivered, r.renewedAt, r.lockLost = record, time.Now(), false
	handedOver, again := r.leaseUntil != nil, r.overtaken && r.phase == running
	if again {
		r.phase, r.since, r.overtaken, r.leaseUntil, r.lookFrom = checking, time.Now(), false, nil, position{}
		r.check = &recordCheck{highest: l.highestOf(r.key)}
	}
	r.mu.Unlock()
	if again {
		l.worker.gate.leave(r)
		return r, true
	}
	if handedOver {
		l.queues.of(record).Accept(record)
	}
	return nil, true
}

// read what a record holds, and decide what becomes of it. It gives the run where that is to be checked.
func (l *lane) read(record *sharequeue.Delivered, highest int64, now time.Time) *run {
	decoded, err := l.worker.options.Codec.Decode(record.Value)
	var unknown *schemas.UnknownSchemaError
	switch {
	case errors.As(err, &unknown):
		l.mu.Lock()
		l.undecided[record] = now
		l.mu.Unlock()
		go l.readLater(record, highest, unknown.SchemaID)
		return nil
	case err != nil:
		l.reject(record, "undecodable", err)
		return nil
	}
	event, ok := decoded.(*schemas.TaskQueued)
	if !ok || event.Type != l.definition.Type || schemas.QueueTopic(event.Type, event.Priority) != record.Topic {
		l.reject(record, "misplaced", fmt.Errorf("a %s does not belong into %s", decoded.RecordName(), record.Topic))
		return nil
	}
	return l.admit(record, event, highest, now)
}

func (l *lane) admit(record *sharequeue.Delivered, event *schemas.TaskQueued, highest int64, now time.Time) *run {
	r := newRun(l, record, event, now)
	certain := !l.suspicionOf(r, highest, nil).Any()
	if !certain {
		r.phase, r.check = checking, &recordCheck{highest: highest}
	}
	l.mu.Lock()
	l.runs[r.key] = r
	l.mu.Unlock()
	switch {
	case l.worker.options.Control.isCancelled(&event.Head):
		l.dropCancelled(r)
	case l.worker.stopping.Load():
		l.release(r, errStopped)
	case certain:
		l.worker.gate.enter(r)
	default:
		return r
	}
	return nil
}

// suspicionOf a record, with what is known of its session; without it everything of an older leader is suspicious.
func (l *lane) suspicionOf(r *run, highest int64, facts *sessionFacts) protocol.Suspicion {
	record := r.record()
	known := protocol.PartitionKnowledge{LeaderEpoch: record.Hold().LeaderEpoch, Highest: highest}
	if facts != nil {
		known.GroupStart = facts.startOfGroup()
	}
	return protocol.SuspicionOf(protocol.DeliveredFacts{
		Offset: record.Offset, LeaderEpoch: record.LeaderEpoch, Delivery: record.Delivery, Check: r.queued.Check,
	}, known, l.worker.options.Values)
}

// readLater: the writer used a schema that is newer than this process. It is learned first, while the record stays locked.
func (l *lane) readLater(record *sharequeue.Delivered, highest int64, schemaID uint32) {
	for pause := firstLearnPause; ; pause = min(2*pause, longestLearnPause) {
		known, err := l.worker.options.Learn(l.ctx, schemaID)
		l.mu.Lock()
		_, waits := l.undecided[record]
		if err == nil {
			delete(l.undecided, record)
		}
		l.mu.Unlock()
		if !waits {
			return // given back meanwhile
		}
		if err == nil {
			switch {
			case !known:
				l.reject(record, "unknown-schema", fmt.Errorf("no registry knows schema %d", schemaID))
			case record.Hold().Lost() || !record.LockedUntil().After(time.Now()):
				l.slots.end()
				l.slots.settle()
			default:
				if r := l.read(record, highest, time.Now()); r != nil {
					l.check([]*run{r})
				}
			}
			return
		}
		l.logger.Warn("the registry cannot be asked for a schema; trying again", "schemaId", schemaID, "error", err)
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
			return
		}
	}
}

// reject a record that nobody can process. The projector parks it in taskflow.poison.
func (l *lane) reject(record *sharequeue.Delivered, reason string, err error) {
	l.logger.Error("a record of the queue is rejected",
		"topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "reason", reason, "error", err)
	l.worker.metrics.rejected.WithLabelValues(l.definition.Type, reason).Inc()
	l.queues.of(record).Reject(record)
	l.slots.end()
	l.slots.settle()
}
