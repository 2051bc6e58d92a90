package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	firstLearnPause   = 400 * time.Millisecond
	longestLearnPause = 10 * time.Second
)

// A lane is all that this process does about one task type: from delivered records to accepted ones.
type lane struct {
	worker     *Worker
	definition *task.Definition
	queues     *Queues
	slots      *slots
	logger     *slog.Logger
	ctx        context.Context // ends when the worker gives up what still runs
	next       chan *run       // for a goroutine that has ended a run

	mu sync.Mutex
	// runs that hold a lock: their handler runs, or their outcome is not yet on the log.
	runs map[recordKey]*run
	// undecided records hold a lock, too: their schema is being asked for.
	undecided map[*sharequeue.Delivered]bool
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
	return &lane{
		worker: worker, definition: one.Definition, queues: one.Queues, slots: newSlots(one.Slots), ctx: ctx, next: make(chan *run),
		logger: worker.options.Logger.With("type", one.Definition.Type),
		runs:   map[recordKey]*run{}, undecided: map[*sharequeue.Delivered]bool{}, highest: map[recordKey]int64{},
	}
}

// take begins the runs of a fetch.
func (l *lane) take(records []*sharequeue.Delivered) {
	l.worker.metrics.fetched.WithLabelValues(l.definition.Type).Observe(float64(len(records)))
	for _, record := range records {
		if l.resumes(record) {
			continue
		}
		l.slots.begin()
		l.decide(record)
	}
}

// resumes: a worker that is handed what it still runs keeps running it. True also for what it has ended but not yet accepted.
func (l *lane) resumes(record *sharequeue.Delivered) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	partition := recordKey{topic: record.Topic, partition: record.Partition}
	highest, had := l.highest[partition]
	if !had || record.Offset > highest {
		l.highest[partition] = record.Offset
	}
	r := l.runs[recordKey{record.Topic, record.Partition, record.Offset}]
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delivered, r.renewedAt, r.lockLost = record, time.Now(), false
	return true
}

// decide what a record holds, and what becomes of it.
func (l *lane) decide(record *sharequeue.Delivered) {
	decoded, err := l.worker.options.Codec.Decode(record.Value)
	var unknown *schemas.UnknownSchemaError
	switch {
	case errors.As(err, &unknown):
		l.mu.Lock()
		l.undecided[record] = true
		l.mu.Unlock()
		go l.decideLater(record, unknown.SchemaID)
		return
	case err != nil:
		l.reject(record, "undecodable", err)
		return
	}
	queued, ok := decoded.(*schemas.TaskQueued)
	if !ok || queued.Type != l.definition.Type || schemas.QueueTopic(queued.Type, queued.Priority) != record.Topic {
		l.reject(record, "misplaced", fmt.Errorf("a %s does not belong into %s", decoded.RecordName(), record.Topic))
		return
	}
	// PROTOCOL.md, "A record that may have run before": here protocol.SuspicionOf and DecideDelivered are to decide, from what
	// the events partition says, whether to accept it without a run, to hand it over in its starter's name, or to run it.
	l.start(record, queued)
}

// decideLater: the writer used a schema that is newer than this process. It is learned first, while the record stays locked.
func (l *lane) decideLater(record *sharequeue.Delivered, schemaID uint32) {
	for pause := firstLearnPause; ; pause = min(2*pause, longestLearnPause) {
		known, err := l.worker.options.Learn(l.ctx, schemaID)
		if err == nil {
			l.mu.Lock()
			waiting := l.undecided[record]
			delete(l.undecided, record)
			l.mu.Unlock()
			if !waiting {
				return // given back meanwhile
			}
			if known {
				l.decide(record)
			} else {
				l.reject(record, "unknown-schema", fmt.Errorf("no registry knows schema %d", schemaID))
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

func (l *lane) start(record *sharequeue.Delivered, queued *schemas.TaskQueued) {
	r := newRun(l, record, queued)
	l.mu.Lock()
	l.runs[recordKey{record.Topic, record.Partition, record.Offset}] = r
	l.mu.Unlock()
	l.worker.clock.saw(record.AppendedAt)
	if record.Delivery == 1 {
		if expired := protocol.Expired(queued, 1, l.worker.clock.now()); expired != nil {
			r.fail(*expired)
			return
		}
	}
	// Handlers of first deliveries start at once: TaskStarted precedes their outcome on the log all the same.
	l.append(queued, protocol.Started(queued, protocol.Start{
		Delivery: record.Delivery, Starts: 1, LeaseMs: l.worker.options.Values.LeaseMs,
		QueuePartition: record.Partition, QueueOffset: record.Offset,
	}, l.stamp()), nil)
	select {
	case l.next <- r:
	default:
		go l.runOn(r)
	}
}

// runOn executes one run after the other on a goroutine whose stack has grown to what handlers of this type need: a new one for
// each run costs a short task a third of its time. There are never more of them than handlers ran at once.
func (l *lane) runOn(r *run) {
	for {
		r.execute()
		select {
		case r = <-l.next:
		case <-l.ctx.Done():
			return
		}
	}
}

func (l *lane) stamp() protocol.Stamp {
	now := time.Now()
	return protocol.Stamp{Now: now.UnixMilli(), EventID: newEventID(now), WorkerID: l.worker.options.WorkerID}
}

func (l *lane) reportProgress(r *run, progress *float64, note *string) {
	l.append(r.queued, protocol.Progress(r.queued, progress, note, l.worker.options.Values.LeaseMs, l.stamp()), nil)
}

// ended: the handler has ended. Its slot is free, its outcome goes to the log.
func (l *lane) ended(r *run, outcome protocol.Outcome, took time.Duration) {
	l.slots.end()
	if outcome.Error != nil && r.isZombie() {
		l.withdraw(r)
		return
	}
	l.write(r, outcome, took)
}

func (l *lane) write(r *run, outcome protocol.Outcome, took time.Duration) {
	storage := "mongo"
	if l.definition.Inline {
		storage = "inline"
	}
	event := protocol.DecideOutcome(r.queued, outcome, protocol.OutcomeContext{
		Stamp: l.stamp(), DurationMs: took.Milliseconds(), ResultStorage: storage,
	})
	l.worker.metrics.ended(event, took.Seconds())
	record := &appender.Record{Done: func(err error) { l.recorded(r, err) }}
	if event.RecordName() != schemas.NameTaskSucceeded {
		record.Withdraw = r.isZombie
	}
	l.append(r.queued, event, record)
}

// recorded: the outcome is on the log, or never will be.
func (l *lane) recorded(r *run, err error) {
	switch {
	case err == nil:
		record := r.record()
		l.queues.of(record).Accept(record)
		l.forget(r)
	case errors.Is(err, appender.ErrWithdrawn):
		l.withdraw(r)
	case errors.Is(err, appender.ErrClosed):
		l.forget(r) // its lock ends with the session
	case appender.IsTooLarge(err):
		failure := schemas.TaskError{Code: "RESULT_TOO_LARGE", Message: "The outcome is larger than the log takes: " + err.Error()}
		l.write(r, protocol.Outcome{Error: &failure}, 0)
	default:
		record := r.record()
		l.logger.Error("an outcome cannot be recorded; the record is given back",
			"topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err)
		l.worker.metrics.rejected.WithLabelValues(l.definition.Type, "unrecordable").Inc()
		l.queues.of(record).Release(record)
		l.forget(r)
	}
}

// withdraw: a zombie says nothing of its failure.
func (l *lane) withdraw(r *run) {
	l.worker.metrics.zombies.WithLabelValues(l.definition.Type).Inc()
	l.forget(r)
}

func (l *lane) append(queued *schemas.TaskQueued, event schemas.Event, record *appender.Record) {
	if record == nil {
		record = &appender.Record{}
	}
	value, err := l.worker.options.Codec.Encode(event)
	if err != nil { // a fault of this program: the process and the other tasks go on
		l.logger.Error("an event cannot be encoded", "event", event.RecordName(), "taskId", queued.TaskID, "error", err)
		if record.Done != nil {
			record.Done(err)
		}
		return
	}
	record.Topic, record.Partition = schemas.EventsTopic(queued.Type, queued.Priority), queued.EventsPartition
	record.Key, record.Value = queued.TaskID, value
	if err := l.worker.options.Appender.Append(record); err != nil && record.Done != nil {
		record.Done(err)
	}
}

// tick renews the locks that were not renewed for a while, and writes progress that waits.
func (l *lane) tick(now time.Time) {
	due := map[*sharequeue.Queue][]*sharequeue.Delivered{}
	l.mu.Lock()
	runs := make([]*run, 0, len(l.runs))
	for _, r := range l.runs {
		runs = append(runs, r)
	}
	for record := range l.undecided {
		if record.LockedUntil().Sub(now) < 2*time.Duration(l.worker.options.Values.RenewEveryMs)*time.Millisecond {
			due[l.queues.of(record)] = append(due[l.queues.of(record)], record)
		}
	}
	l.mu.Unlock()
	for _, r := range runs {
		r.writeProgress(now)
		if r.isRenewalDue(now, l.worker.options.Values) {
			record := r.record()
			due[l.queues.of(record)] = append(due[l.queues.of(record)], record)
		}
	}
	for queue, records := range due {
		go l.renew(queue, records)
	}
}

func (l *lane) renew(queue *sharequeue.Queue, records []*sharequeue.Delivered) {
	lost := queue.Renew(l.ctx, records)
	if len(lost) == 0 {
		return
	}
	l.worker.metrics.lockLost.WithLabelValues(l.definition.Type).Add(float64(len(lost)))
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, record := range lost {
		if r := l.runs[recordKey{record.Topic, record.Partition, record.Offset}]; r != nil {
			r.mu.Lock()
			r.lockLost = r.lockLost || r.delivered == record
			r.mu.Unlock()
		}
	}
}

// giveUp tells what still runs to stop, and gives it back. Outcomes on their way stay on their way.
func (l *lane) giveUp() (count int) {
	l.mu.Lock()
	runs := make([]*run, 0, len(l.runs))
	for _, r := range l.runs {
		runs = append(runs, r)
	}
	undecided := l.undecided
	l.undecided = map[*sharequeue.Delivered]bool{}
	l.mu.Unlock()
	for _, r := range runs {
		if record := r.giveUp(); record != nil {
			count++
			l.queues.of(record).Release(record)
			l.slots.end()
			l.forget(r)
		}
	}
	for record := range undecided {
		count++
		l.queues.of(record).Release(record)
		l.slots.end()
		l.slots.settle()
	}
	return count
}

func (l *lane) forget(r *run) {
	r.mu.Lock()
	r.state = over
	record := r.delivered
	r.mu.Unlock()
	key := recordKey{record.Topic, record.Partition, record.Offset}
	l.mu.Lock()
	known := l.runs[key] == r
	if known {
		delete(l.runs, key)
	}
	l.mu.Unlock()
	if known {
		l.slots.settle()
	}
}
