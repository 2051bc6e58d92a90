package worker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// stuckAfter: nothing moved for so long, and the worker says that it is not well.
	stuckAfter = 30 * time.Second
	// stuckCheckEvery: so often it is asked whether the worker is stuck for good.
	stuckCheckEvery = time.Second
)

// CheckQueues says why the worker cannot take tasks; nil when it can. While none are asked for (all slots are busy, or the type is
// paused) it needs no session: a broker closes connections that are idle.
func (w *Worker) CheckQueues() error {
	for i, lane := range w.lanes {
		for priority, queue := range lane.queues.byPriority {
			health := queue.Health()
			what := ""
			switch {
			case health.AssignedPartitions == 0:
				what = "has no assignment"
			case health.OpenSessions == 0 && !w.dispatches[i].wants().IsZero():
				what = "has no session with its broker"
			default:
				continue
			}
			err := fmt.Errorf("the queue %s.%s %s", lane.definition.Type, priority, what)
			if health.LastError != nil {
				err = fmt.Errorf("%w: %w", err, health.LastError)
			}
			return err
		}
	}
	return nil
}

// CheckProgress says what does not move; nil when all is well.
func (w *Worker) CheckProgress() error {
	if stuck := w.options.Appender.Stuck(); stuck > stuckAfter {
		return fmt.Errorf("%d events wait to be appended, none was for %v", w.options.Appender.Pending(), stuck.Round(time.Second))
	}
	var errs []error
	for i, lane := range w.lanes {
		if silent := w.dispatches[i].silent(); silent > stuckAfter {
			errs = append(errs, fmt.Errorf("no queue of %s has answered for %v", lane.definition.Type, silent.Round(time.Second)))
		}
	}
	return errors.Join(errs...)
}

// silent is for how long records have been asked for without an answer; 0 while nothing is asked for.
func (d *dispatch) silent() time.Duration {
	since := d.wants()
	if since.IsZero() {
		return 0
	}
	silent := time.Since(since)
	for _, queue := range d.lane.queues.byPriority {
		if answered := queue.Health().SinceFetch; answered >= 0 {
			silent = min(silent, answered)
		}
	}
	return silent
}

// untilStuck returns when ctx ends, or with an error once the worker has had nothing in hand and no answer of its queues for limit:
// whoever runs it starts it again. What it still runs, or has to write, is worth more than a new beginning.
func (w *Worker) untilStuck(ctx context.Context, limit time.Duration) error {
	for pause(ctx, stuckCheckEvery) {
		stuck := len(w.lanes) > 0 && w.options.Appender.Pending() == 0
		for i, lane := range w.lanes {
			stuck = stuck && len(lane.all()) == 0 && w.dispatches[i].silent() > limit
		}
		if stuck {
			return fmt.Errorf("no queue has answered for %v, and nothing is in hand", limit)
		}
	}
	return nil
}
