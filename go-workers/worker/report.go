package worker

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// conclude: the handler has ended. Its slot is free, its outcome goes to the log.
func (l *lane) conclude(r *run, how conclusion) {
	r.mu.Lock()
	if r.phase == ended || r.phase == over {
		r.mu.Unlock()
		return
	}
	r.phase, r.executing, r.unwritten = ended, false, false
	r.mu.Unlock()
	r.log.end()
	r.cancel(nil)
	l.slots.end()
	l.worker.gate.leave(r)
	l.report(r, how)
}

// report writes the outcome, or keeps it until the run is handed over, or never says it (the zombie rule).
func (l *lane) report(r *run, how conclusion) {
	r.mu.Lock()
	if r.phase == over {
		r.mu.Unlock()
		return
	}
	decision := r.mayReport(how)
	r.unreported = nil
	if decision == protocol.ReportAfterHandOver {
		r.unreported = &how
	}
	r.mu.Unlock()
	switch decision {
	case protocol.Report:
		l.write(r, how)
	case protocol.ReportAfterHandOver:
		go l.upkeep(r, time.Now())
	case protocol.Withhold:
		l.worker.metrics.zombies.WithLabelValues(l.definition.Type).Inc()
		l.forget(r, nil)
	}
}

// mayReport: the mutex is held.
func (r *run) mayReport(how conclusion) protocol.ReportDecision {
	return protocol.DecideReport(how.outcome.Error == nil, r.hold(), monotonicMs(time.Now()))
}

func (l *lane) write(r *run, how conclusion) {
	storage, random := "mongo", rand.Float64()
	if l.definition.Inline {
		storage = "inline"
	}
	event := protocol.DecideOutcome(r.queued, how.outcome, protocol.OutcomeContext{
		Stamp: l.stamp(), DurationMs: how.took.Milliseconds(), ResultStorage: storage, Retry: &random,
	})
	l.append(r, event, &appender.Record{
		Withdraw: func(bool) bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.phase == over || r.mayReport(how) != protocol.Report
		},
		Done: func(err error) { l.reported(r, how, event, err) },
	})
}

// reported: the outcome is on the log, or never will be.
func (l *lane) reported(r *run, how conclusion, event schemas.Event, err error) {
	switch {
	case err == nil:
		l.worker.metrics.ended(event, how.took.Seconds())
		l.accept(r)
	case errors.Is(err, appender.ErrWithdrawn):
		l.report(r, how)
	case errors.Is(err, appender.ErrClosed):
		l.forget(r, nil) // its lock ends with the session
	case appender.IsTooLarge(err):
		failure := schemas.TaskError{Code: "RESULT_TOO_LARGE", Message: "The outcome is larger than the log takes: " + err.Error()}
		l.report(r, conclusion{protocol.Outcome{Error: &failure}, how.took})
	default:
		record := r.record()
		l.logger.Error("an outcome cannot be recorded; the record is given back",
			"topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err)
		l.worker.metrics.rejected.WithLabelValues(l.definition.Type, "unrecordable").Inc()
		l.release(r, nil)
	}
}
