package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// A lane is all that this process does about one task type: from delivered records to accepted ones.
type lane struct {
	worker     *Worker
	definition *task.Definition
	queues     *Queues
	slots      *slots
	hand       hand
	lead       *lead
	lent       *lentSlots
	tails      *tails
	logger     *slog.Logger
	ctx        context.Context // ends when the worker gives up what still runs
	next       chan *run       // for a goroutine that has ended a run

	mu sync.Mutex
	// runs that hold a lock or a lease, from their check to the acknowledgement of their outcome.
	runs map[recordKey]*run
	// undecided records hold a lock, too, since these times: their schema is being asked for.
	undecided map[*sharequeue.Delivered]time.Time
	// highest offset had so far, by topic and partition.
	highest map[recordKey]int64
}

// A recordKey names a record of a queue; with offset 0 a partition.
type recordKey struct {
	topic     string
	partition int32
	offset    int64
}

func newLane(worker *Worker, ctx context.Context, one Type) *lane {
	l := &lane{
		worker: worker, definition: one.Definition, queues: one.Queues, slots: newSlots(one.Slots), ctx: ctx, next: make(chan *run),
		tails:  newTails(worker.options.Reader, worker.decodeEvent),
		logger: worker.options.Logger.With("type", one.Definition.Type),
		runs:   map[recordKey]*run{}, undecided: map[*sharequeue.Delivered]time.Time{}, highest: map[recordKey]int64{},
		lead: newLead(one.Slots, time.Now()),
	}
	l.lent = &lentSlots{
		slots: l.slots, runs: map[*run]bool{}, begin: worker.gate.enter,
		most: func() int {
			lasts := time.Duration(worker.options.Values.LookAgainMs) * time.Millisecond
			return min(l.slots.size, l.lead.freedWithin(lasts))
		},
	}
	return l
}

// inHand is how many records and runs wait for no more than a slot.
func (l *lane) inHand() int { return l.hand.size() + l.lent.waitingCount() }

// all gives the runs of this moment.
func (l *lane) all() []*run {
	l.mu.Lock()
	defer l.mu.Unlock()
	runs := make([]*run, 0, len(l.runs))
	for _, r := range l.runs {
		runs = append(runs, r)
	}
	return runs
}

func (l *lane) highestOf(key recordKey) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.highest[recordKey{topic: key.topic, partition: key.partition}]
}

// accept: what settles the record is on the log.
func (l *lane) accept(r *run) {
	r.mu.Lock()
	record, locked := r.delivered, r.phase != over && r.leaseUntil == nil
	r.mu.Unlock()
	if locked {
		l.queues.of(record).Accept(record)
	}
	l.forget(r, nil)
}

// release gives the record back for others.
func (l *lane) release(r *run, cause error) {
	record := r.record()
	l.queues.of(record).Release(record)
	l.forget(r, cause)
}

// forget a run, whatever becomes of its record; its handler, where it still runs, is told why. False where it was over already.
func (l *lane) forget(r *run, cause error) bool {
	r.mu.Lock()
	before := r.phase
	r.phase = over
	r.mu.Unlock()
	if before == over {
		return false
	}
	l.mu.Lock()
	if l.runs[r.key] == r {
		delete(l.runs, r.key)
	}
	l.mu.Unlock()
	if before != ended {
		r.log.end()
		r.cancel(cause)
		if !l.lent.drop(r) {
			l.slots.end()
			l.worker.gate.leave(r)
		}
	}
	l.slots.settle()
	return true
}

func (l *lane) stamp() protocol.Stamp {
	now := time.Now()
	return protocol.Stamp{Now: now.UnixMilli(), EventID: newEventID(now), WorkerID: l.worker.options.WorkerID}
}

// append an event of a run to the log. record says who is told, and whether it may be withdrawn.
func (l *lane) append(r *run, event schemas.Event, record *appender.Record) {
	value, err := l.worker.options.Codec.Encode(event)
	if err != nil { // a fault of this program: the process and the other tasks go on
		l.logger.Error("an event cannot be encoded", "event", event.RecordName(), "taskId", r.queued.TaskID, "error", err)
		if record.Done != nil {
			record.Done(err)
		}
		return
	}
	r.mu.Lock()
	r.own = append(r.own, event.EventHead().EventID)
	r.mu.Unlock()
	record.Topic, record.Partition = eventsOf(r.queued)
	record.Key, record.Value = r.queued.TaskID, value
	if err := l.worker.options.Appender.Append(record); err != nil && record.Done != nil {
		record.Done(err)
	}
}

// eventsOf names the partition of a task's events.
func eventsOf(queued *schemas.TaskQueued) (topic string, partition int32) {
	return schemas.EventsTopic(queued.Type, queued.Priority), queued.EventsPartition
}
