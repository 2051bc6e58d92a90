package worker

import (
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the figures of a worker, named as those of the TypeScript workers.
type Metrics struct {
	tasks                   *prometheus.CounterVec
	duration, fetched       *prometheus.HistogramVec
	rejected                *prometheus.CounterVec
	late, zombies, lockLost *prometheus.CounterVec
	checks, handOvers       *prometheus.CounterVec
	overtaken, cancelled    *prometheus.CounterVec
	slots, slotsInUse       *prometheus.GaugeVec
	outbox                  *prometheus.GaugeVec
}

// NewMetrics declares them.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "taskflow", Name: name, Help: help}, labels)
		registerer.MustRegister(vec)
		return vec
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "taskflow", Name: name, Help: help, Buckets: buckets}, []string{"type"})
		registerer.MustRegister(vec)
		return vec
	}
	gauge := func(name, help string, label string) *prometheus.GaugeVec {
		vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "taskflow", Name: name, Help: help}, []string{label})
		registerer.MustRegister(vec)
		return vec
	}
	return &Metrics{
		tasks: counter("worker_tasks_total", "Runs ended by this process, by type and outcome (succeeded, or the error code).", "type", "outcome"),
		duration: histogram("worker_task_duration_seconds", "From the start of a handler to its end.",
			[]float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60, 300}),
		fetched: histogram("worker_fetch_records", "Records that a fetch gave, empty ones left out.",
			[]float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000}),
		rejected:   counter("worker_rejected_total", "Records of the queue that could not be processed, by reason.", "type", "reason"),
		late:       counter("worker_late_results_total", "Results of handlers that had been given up, dropped.", "type"),
		zombies:    counter("worker_zombie_failures_total", "Failures not reported because the lock may have passed.", "type"),
		lockLost:   counter("worker_locks_lost_total", "Locks that were gone when they were to be renewed.", "type"),
		checks:     counter("worker_checks_total", "Records that may have run before, by what was decided of them.", "type", "decision"),
		handOvers:  counter("worker_hand_overs_total", "Runs whose lease was to move from the lock to the log, by reason.", "type", "reason"),
		overtaken:  counter("worker_overtaken_total", "Runs that somebody else had started meanwhile.", "type"),
		cancelled:  counter("worker_cancelled_total", "Records dropped, or runs aborted, because their task was cancelled.", "type"),
		slots:      gauge("worker_slots", "Slots of a type in this process.", "type"),
		slotsInUse: gauge("worker_slots_in_use", "Slots in which a handler runs.", "type"),
		outbox:     gauge("worker_outbox_records", "Events that are not yet on the log.", "kind"),
	}
}

// ended counts a run, by the event that ends it.
func (m *Metrics) ended(event schemas.Event, durationSeconds float64) {
	taskType, outcome := event.EventHead().Type, "succeeded"
	switch event := event.(type) {
	case *schemas.TaskFailed:
		outcome = event.Error.Code
	case *schemas.TaskRetryScheduled:
		outcome = event.Error.Code
	}
	m.tasks.WithLabelValues(taskType, outcome).Inc()
	m.duration.WithLabelValues(taskType).Observe(durationSeconds)
}
