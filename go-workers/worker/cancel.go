package worker

import "github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"

// dropCancelled accepts a record whose task is cancelled, aborts its handler where it runs, and says nothing of it: TaskCancelled
// is on the log.
func (l *lane) dropCancelled(r *run) {
	l.worker.metrics.cancelled.WithLabelValues(l.definition.Type).Inc()
	r.mu.Lock()
	record, locked := r.delivered, r.phase != over && r.leaseUntil == nil
	r.mu.Unlock()
	if locked {
		l.queues.of(record).Accept(record)
	}
	l.forget(r, &taskerror.Error{Code: "CANCELLED", Message: "The task was cancelled"})
}

// dropAllCancelled drops what has been cancelled since it was delivered.
func (l *lane) dropAllCancelled() {
	for _, r := range l.all() {
		if l.worker.options.Control.isCancelled(&r.queued.Head) {
			l.dropCancelled(r)
		}
	}
}
