package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// Of a run's course.
type phase int

const (
	// checking: the log is read, whether it has run before.
	checking phase = iota
	// waiting: for its turn, or until its start is acknowledged.
	waiting
	// running: its handler runs.
	running
	// ended: its outcome is on its way to the log, or may not be said yet.
	ended
	// over: accepted, released or dropped; whatever still comes of it is dropped.
	over
)

// A run is one delivery of one attempt, from the delivered record to the accepted one.
type run struct {
	lane   *lane
	queued *schemas.TaskQueued
	key    recordKey
	ctx    context.Context // ends with the handler, and when the run is given up
	cancel context.CancelCauseFunc
	log    *taskLog
	// check is what is known of a record that may have run before; nil for a first delivery.
	check *recordCheck
	// starts of the attempt, this one included. alone: nothing else is to run in the process meanwhile.
	starts int32
	alone  bool
	place  gatePlace // guarded by the gate

	mu        sync.Mutex
	phase     phase
	delivered *sharequeue.Delivered // replaced where the broker hands the same record out again
	since     time.Time             // when it was delivered, then when its handler started
	renewedAt time.Time             // when its lock was last asked to be renewed
	lockLost  bool                  // the broker said so when it was to be renewed
	// leaseUntil since it is handed over, by monotonicMs.
	leaseUntil *int64
	// overtaken: somebody else has the run, or may have.
	overtaken bool
	// handingOver: a hand-over is under way. heartbeating: a heartbeat is.
	handingOver, heartbeating bool
	afterHandOver             func() // what waits for its end; nil: nothing
	heartbeatAt               time.Time
	// lookFrom is from where on the log tells whether somebody else has it: from when its fetch left; see claimedAt.
	lookFrom position
	// own are the ids of its own events.
	own []string
	// executing: its handler has been called and has not returned. pending is what it returned while the run was checked anew.
	executing bool
	pending   *conclusion
	// unreported: its handler has failed, which may not be said yet.
	unreported *conclusion

	// progress and note are the last that the handler said; unwritten: the log does not have them yet.
	progress          *float64
	note              *string
	unwritten         bool
	progressWrittenAt time.Time
}

// A conclusion is how a handler ended, and after how long.
type conclusion struct {
	outcome protocol.Outcome
	took    time.Duration
}

func newRun(lane *lane, delivered *sharequeue.Delivered, queued *schemas.TaskQueued, now time.Time) *run {
	r := &run{
		lane: lane, queued: queued, key: recordKey{delivered.Topic, delivered.Partition, delivered.Offset},
		starts: 1, phase: waiting, delivered: delivered, since: now, renewedAt: now, progressWrittenAt: now,
	}
	r.ctx, r.cancel = context.WithCancelCause(lane.ctx)
	r.log = &taskLog{queued: queued, workerID: lane.worker.options.WorkerID, write: lane.worker.writeLogLine}
	return r
}

// record gives what holds the run now.
func (r *run) record() *sharequeue.Delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delivered
}

// heldFor says how long ago its record came. For a run that has not started yet.
func (r *run) heldFor() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.since)
}

func (r *run) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.phase == over
}

// isExecuting says whether its handler has been called and has not returned.
func (r *run) isExecuting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.executing
}

// isHeld says whether nobody else can have the run.
func (r *run) isHeld() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hold().IsHeld(monotonicMs(time.Now()))
}

// held says whether nobody else can have the run. While a hand-over is under way that is not known yet: then again is called, on a
// goroutine of its own, once that has ended, whichever way. To give the run up meanwhile would leave it to a lease that nobody keeps.
func (r *run) held(again func()) (held, later bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hold().IsHeld(monotonicMs(time.Now())) {
		return true, false
	}
	if r.handingOver {
		r.afterHandOver = again
	}
	return false, r.handingOver
}

// mayNotStart: somebody else may have the run, or has it.
func (r *run) mayNotStart() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.phase == over || !r.handingOver && !r.hold().IsHeld(monotonicMs(time.Now()))
}

// handOverEnded: it is on the log, or not to be. The mutex is held.
func (r *run) handOverEnded() {
	r.handingOver = false
	if again := r.afterHandOver; again != nil {
		r.afterHandOver = nil
		go again()
	}
}

// hold is what the decisions know of the hold on the run. The mutex is held.
func (r *run) hold() protocol.Hold {
	return protocol.Hold{
		LockedUntil: monotonicMs(r.delivered.LockedUntil()),
		LockLost:    r.lockLost || r.delivered.Hold().Lost(),
		LeaseUntil:  r.leaseUntil, Overtaken: r.overtaken,
	}
}

// lookStart is where to look from whether somebody else has the run. The mutex is held.
func (r *run) lookStart() position {
	if r.lookFrom == (position{}) {
		worker := r.lane.worker
		return atTime(worker.clock.at(r.delivered.FetchedAt()) - worker.options.Values.BrokerClockSkewMs)
	}
	return r.lookFrom
}

// others drops the run's own events.
func (r *run) others(events []loggedEvent) []loggedEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(events), func(one loggedEvent) bool {
		return slices.Contains(r.own, one.event.EventHead().EventID)
	})
}
