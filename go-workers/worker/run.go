package worker

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	previewCharacters = 200
	progressEvery     = time.Second
)

// Of a run's course.
type runState int

const (
	// running: its handler runs.
	running runState = iota
	// ended: its outcome is on its way to the log, the record is still locked.
	ended
	// over: accepted, or given up; whatever still comes of it is dropped.
	over
)

// A run is one delivery of one attempt, from the handler's start to the accepted record.
type run struct {
	lane      *lane
	queued    *schemas.TaskQueued
	startedAt time.Time
	ctx       context.Context
	cancel    context.CancelCauseFunc
	log       *taskLog
	timer     *time.Timer

	mu        sync.Mutex
	state     runState
	delivered *sharequeue.Delivered // replaced where the broker hands the same record out again while it runs
	renewedAt time.Time             // when its lock was last asked to be renewed
	lockLost  bool                  // the broker said so when it was to be renewed

	progress          *float64
	note              *string
	progressWrittenAt time.Time
}

func newRun(lane *lane, delivered *sharequeue.Delivered, queued *schemas.TaskQueued) *run {
	now := time.Now()
	r := &run{lane: lane, queued: queued, startedAt: now, delivered: delivered, renewedAt: now, progressWrittenAt: now}
	r.ctx, r.cancel = context.WithCancelCause(lane.ctx)
	r.log = &taskLog{queued: queued, workerID: lane.worker.options.WorkerID, write: lane.worker.writeLogLine}
	return r
}

// execute calls the handler. What it does not end in time is ended for it.
func (r *run) execute() {
	limit := time.Duration(r.queued.Task.TimeoutMs) * time.Millisecond
	r.timer = time.AfterFunc(limit, func() {
		err := &taskerror.Error{Code: "TIMEOUT", Message: fmt.Sprintf("The attempt took longer than its limit of %d ms", limit.Milliseconds())}
		r.fail(failureOf(err))
		r.cancel(err)
	})
	defer r.timer.Stop()
	defer func() {
		if thrown := recover(); thrown != nil {
			r.lane.logger.Error("a handler panicked", "taskId", r.queued.TaskID, "attempt", r.queued.Attempt,
				"panic", fmt.Sprint(thrown), "stack", string(debug.Stack()))
			r.fail(failureOfPanic(thrown))
		}
	}()
	result, err := r.lane.definition.Run(r.ctx, []byte(r.queued.Task.Payload), task.Setting{
		TaskID: r.queued.TaskID, UserID: r.queued.UserID, Generation: int(r.queued.Generation), Attempt: int(r.queued.Attempt),
		Log: slog.New(logHandler{log: r.log}), Progress: r.report, Fetch: r.lane.worker.options.Fetch,
	})
	if err != nil {
		r.fail(failureOf(err))
		return
	}
	r.end(r.outcomeOf(result))
}

func (r *run) outcomeOf(result any) protocol.Outcome {
	text, err := cleanJSON(result)
	if err != nil {
		failure := resultInvalid("The result cannot be written as JSON: " + err.Error())
		return protocol.Outcome{Error: &failure}
	}
	if len(text) > 2*maxResultDepth && jsonDepth(text) > maxResultDepth {
		failure := resultInvalid(fmt.Sprintf("The result nests deeper than %d levels", maxResultDepth))
		return protocol.Outcome{Error: &failure}
	}
	outcome := protocol.Outcome{Value: text}
	if preview := cleanText(r.lane.definition.Preview(result)); preview != "" {
		if utf8.RuneCountInString(preview) > previewCharacters {
			preview = string([]rune(preview)[:previewCharacters])
		}
		outcome.Preview = &preview
	}
	return outcome
}

// fail ends the run without a result.
func (r *run) fail(failure schemas.TaskError) { r.end(protocol.Outcome{Error: &failure}) }

func (r *run) end(outcome protocol.Outcome) {
	r.mu.Lock()
	if r.state != running {
		r.mu.Unlock()
		r.lane.worker.metrics.late.WithLabelValues(r.lane.definition.Type).Inc()
		return
	}
	r.state = ended
	r.progress = nil
	r.mu.Unlock()
	r.log.end()
	r.cancel(nil)
	r.lane.ended(r, outcome, time.Since(r.startedAt))
}

// giveUp tells the handler to stop, whatever it still returns. It gives the record where the run had not ended.
func (r *run) giveUp() *sharequeue.Delivered {
	r.mu.Lock()
	wasRunning := r.state == running
	if wasRunning {
		r.state = over
	}
	delivered := r.delivered
	r.mu.Unlock()
	if !wasRunning {
		return nil
	}
	r.log.end()
	r.cancel(&taskerror.Error{Code: "WORKER_STOPPED", Message: "The worker stops"})
	return delivered
}

// report takes what the handler says of its progress; it is written at most once a second.
func (r *run) report(fraction float64, note string) {
	if fraction != fraction {
		return
	}
	fraction = min(1, max(0, fraction))
	r.mu.Lock()
	if r.state == running {
		r.progress, r.note = &fraction, nil
		if note != "" {
			if utf8.RuneCountInString(note) > previewCharacters {
				note = string([]rune(note)[:previewCharacters])
			}
			r.note = &note
		}
	}
	r.mu.Unlock()
	r.writeProgress(time.Now())
}

func (r *run) writeProgress(now time.Time) {
	r.mu.Lock()
	if r.progress == nil || r.state != running || now.Sub(r.progressWrittenAt) < progressEvery {
		r.mu.Unlock()
		return
	}
	progress, note := r.progress, r.note
	r.progress, r.progressWrittenAt = nil, now
	r.mu.Unlock()
	r.lane.reportProgress(r, progress, note)
}

// record gives what holds the run now.
func (r *run) record() *sharequeue.Delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delivered
}

// isZombie: the lock may have passed, so that someone else may run the same by now. It may still report success, but no failure.
// The record is handed out again.
func (r *run) isZombie() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	hold := protocol.Hold{
		LockedUntil: monotonicMs(r.delivered.LockedUntil()),
		LockLost:    r.lockLost || r.delivered.Hold().Lost(),
	}
	return !hold.IsHeld(monotonicMs(time.Now()))
}

// isRenewalDue says so once: the next renewal is due a while later.
func (r *run) isRenewalDue(now time.Time, values protocol.Values) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	hold := protocol.Hold{LockLost: r.delivered.Hold().Lost()}
	if r.state == over || !hold.IsRenewalDue(monotonicMs(r.renewedAt), monotonicMs(now), values) {
		return false
	}
	r.renewedAt = now
	return true
}
