package worker

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	previewCharacters = 200
	progressEvery     = time.Second
)

// runHandler calls the handler on a goroutine. A handler that still runs, since somebody else had the run meanwhile, goes on.
func (l *lane) runHandler(r *run) {
	now := time.Now()
	r.mu.Lock()
	if r.phase == over {
		r.mu.Unlock()
		return
	}
	r.phase, r.since = running, now
	pending, goesOn := r.pending, r.executing
	r.pending, r.executing = nil, pending == nil
	r.mu.Unlock()
	switch {
	case pending != nil:
		r.end(pending.outcome, pending.took)
	case !goesOn:
		select {
		case l.next <- r:
		default:
			go l.runOn(r)
		}
	}
}

// runOn executes one run after the other on a goroutine whose stack has grown to what handlers of this type need: a new one for
// each run costs a short task a third of its time. There are never more of them than handlers ran at once.
func (l *lane) runOn(r *run) {
	for {
		r.execute(time.Now())
		select {
		case r = <-l.next:
		case <-l.ctx.Done():
			return
		}
	}
}

// execute calls the handler. What it does not end in time is ended for it.
func (r *run) execute(startedAt time.Time) {
	fail := func(failure schemas.TaskError) { r.end(protocol.Outcome{Error: &failure}, time.Since(startedAt)) }
	limit := time.Duration(r.queued.Task.TimeoutMs) * time.Millisecond
	timer := time.AfterFunc(limit, func() {
		err := &taskerror.Error{Code: "TIMEOUT", Message: fmt.Sprintf("The attempt took longer than its limit of %d ms", limit.Milliseconds())}
		fail(failureOf(err))
		r.cancel(err)
	})
	defer timer.Stop()
	defer func() {
		if thrown := recover(); thrown != nil {
			r.lane.logger.Error("a handler panicked", "taskId", r.queued.TaskID, "attempt", r.queued.Attempt,
				"panic", fmt.Sprint(thrown), "stack", string(debug.Stack()))
			fail(failureOfPanic(thrown))
		}
	}()
	result, err := r.lane.definition.Run(r.ctx, []byte(r.queued.Task.Payload), task.Setting{
		TaskID: r.queued.TaskID, UserID: r.queued.UserID, Generation: int(r.queued.Generation), Attempt: int(r.queued.Attempt),
		Log: slog.New(logHandler{log: r.log}), Progress: r.report, Fetch: r.lane.worker.options.Fetch,
		Blobs: r.lane.worker.options.Blobs.Of(r.queued.UserID),
	})
	if err != nil {
		fail(failureOf(err))
		return
	}
	r.end(r.outcomeOf(result), time.Since(startedAt))
}

func (r *run) outcomeOf(result any) protocol.Outcome {
	text, failure := resultText(result)
	if failure != nil {
		return protocol.Outcome{Error: failure}
	}
	outcome := r.placed(result, text)
	if outcome.Error != nil {
		return outcome
	}
	if preview := cleanText(r.lane.definition.Preview(result)); preview != "" {
		if utf8.RuneCountInString(preview) > previewCharacters {
			preview = string([]rune(preview)[:previewCharacters])
		}
		outcome.Preview = &preview
	}
	return outcome
}

// end: the handler has ended, or was given up for its time. While the run is checked anew its outcome waits for the decision.
func (r *run) end(outcome protocol.Outcome, took time.Duration) {
	r.mu.Lock()
	switch {
	case r.phase == running:
		r.mu.Unlock()
		r.lane.conclude(r, conclusion{outcome, took})
		return
	case r.executing && r.pending == nil && (r.phase == checking || r.phase == waiting):
		r.pending = &conclusion{outcome, took}
	default:
		r.lane.worker.metrics.late.WithLabelValues(r.lane.definition.Type).Inc()
	}
	r.executing = false
	r.mu.Unlock()
}

// report takes what the handler says of its progress; it is written at most once a second.
func (r *run) report(fraction float64, note string) {
	if fraction != fraction {
		return
	}
	fraction = min(1, max(0, fraction))
	r.mu.Lock()
	if r.phase == running {
		r.progress, r.note, r.unwritten = &fraction, nil, true
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
	due := r.unwritten && r.phase == running && !r.heartbeating && now.Sub(r.progressWrittenAt) >= progressEvery
	r.mu.Unlock()
	if due {
		r.lane.heartbeat(r, now)
	}
}
