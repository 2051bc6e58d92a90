package worker

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/logreader"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/murmur"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	// tickEvery: what ages is looked after so often at least.
	tickEvery = 200 * time.Millisecond
	// flushLimit is for outcomes to reach a broker that answers slowly or is away, once the worker stops.
	flushLimit     = 2 * time.Second
	flushLogsLimit = 500 * time.Millisecond
)

// A Type is what a worker runs, and where it comes from.
type Type struct {
	Definition *task.Definition
	Queues     *Queues
	Slots      int
}

// Options of a worker. All are needed.
type Options struct {
	WorkerID string
	Types    []Type
	// Appender is for events, LogAppender for the lines that tasks log.
	Appender, LogAppender *appender.Appender
	// Control says what is cancelled and paused, Reader reads the events of records that may have run before.
	Control *Control
	Reader  *logreader.Reader
	Codec   *schemas.Codec
	// Learn teaches the codec a schema; false: nobody knows it; an error while that cannot be known.
	Learn func(ctx context.Context, schemaID uint32) (bool, error)
	// LogPartitions are those of taskflow.logs.
	LogPartitions int32
	Fetch         *safefetch.Client
	// Blobs takes results that are too large for an event, and files of tasks.
	Blobs  *blobs.Store
	Values protocol.Values
	// Grace is how long running tasks may go on after Stop.
	Grace time.Duration
	// BrokerTime is the broker's clock at some moment before Start, in milliseconds since 1970.
	BrokerTime int64
	Metrics    *Metrics
	Logger     *slog.Logger
}

// A Worker runs tasks until it is stopped.
type Worker struct {
	options    Options
	metrics    *Metrics
	clock      brokerClock
	gate       gate
	lanes      []*lane
	dispatches []*dispatch
	stopping   atomic.Bool
	stopTaking context.CancelFunc
	abandon    context.CancelFunc
	ticking    sync.WaitGroup
	stopTicks  chan struct{}
}

// Start runs tasks of the given types.
func Start(options Options) *Worker {
	w := &Worker{options: options, metrics: options.Metrics, stopTicks: make(chan struct{})}
	w.gate.admitted = func(r *run, waited bool) { r.lane.admitted(r, waited) }
	w.gate.opened = w.wake
	w.clock.saw(options.BrokerTime)
	running, abandon := context.WithCancel(context.Background())
	taking, stopTaking := context.WithCancel(running)
	w.abandon, w.stopTaking = abandon, stopTaking
	for _, one := range options.Types {
		lane := newLane(w, running, one)
		one.Queues.whenSessionLost(lane.sessionLost)
		w.lanes = append(w.lanes, lane)
	}
	for _, lane := range w.lanes {
		w.dispatches = append(w.dispatches, startDispatch(taking, lane))
	}
	options.Control.whenChanged(w.controlChanged)
	w.controlChanged(true) // what has changed since the topic was read
	w.ticking.Go(w.tick)
	return w
}

// Stop takes nothing more, gives running tasks the grace, gives back what still runs, and waits until outcomes are on the log.
func (w *Worker) Stop() {
	w.stopping.Store(true)
	w.stopTaking()
	for _, dispatch := range w.dispatches {
		<-dispatch.done
	}
	for _, lane := range w.lanes {
		lane.giveUpWaiting()
	}
	grace, cancel := context.WithTimeout(context.Background(), w.options.Grace)
	defer cancel()
	count := 0
	for _, lane := range w.lanes {
		if !lane.slots.untilUnused(grace) {
			count += lane.giveUp()
		}
	}
	if count > 0 {
		w.options.Logger.Warn("tasks still ran after the grace and were given back", "tasks", count, "grace", w.options.Grace)
	}
	flush, cancelFlush := context.WithTimeout(context.Background(), flushLimit)
	defer cancelFlush()
	if !w.options.Appender.Flush(flush) {
		w.options.Logger.Warn("the broker did not take all outcomes in time; their tasks will run again", "events", w.options.Appender.Pending())
	}
	flushLogs, cancelFlushLogs := context.WithTimeout(context.Background(), flushLogsLimit)
	defer cancelFlushLogs()
	w.options.LogAppender.Flush(flushLogs)
	close(w.stopTicks)
	w.ticking.Wait()
	w.abandon()
}

func (w *Worker) tick() {
	values := w.options.Values
	ticker := time.NewTicker(min(tickEvery, time.Duration(min(values.RenewEveryMs, values.LeaseMs/3, values.HandOverAfterMs))*time.Millisecond/2))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			now := time.Now()
			for _, lane := range w.lanes {
				lane.tick(now)
				w.metrics.slots.WithLabelValues(lane.definition.Type).Set(float64(lane.slots.size))
				w.metrics.slotsInUse.WithLabelValues(lane.definition.Type).Set(float64(lane.slots.inUse()))
			}
			w.metrics.outbox.WithLabelValues("events").Set(float64(w.options.Appender.Pending()))
			w.metrics.outbox.WithLabelValues("logs").Set(float64(w.options.LogAppender.Pending()))
		case <-w.stopTicks:
			return
		}
	}
}

// controlChanged: tasks may have been cancelled, types paused or resumed.
func (w *Worker) controlChanged(cancelled bool) {
	for i, lane := range w.lanes {
		if cancelled {
			lane.dropAllCancelled()
		}
		if w.options.Control.isPaused(lane.definition.Type) {
			w.dispatches[i].paused()
		}
	}
	w.wake()
}

// wake whoever may fetch again.
func (w *Worker) wake() {
	for _, lane := range w.lanes {
		lane.slots.wake()
	}
}

func (w *Worker) writeLogLine(line *schemas.TaskLogLine) bool {
	value, err := w.options.Codec.Encode(line)
	if err != nil {
		return false
	}
	return w.options.LogAppender.Append(&appender.Record{
		Topic: schemas.LogsTopic, Partition: murmur.Partition(line.TaskID, w.options.LogPartitions), Key: line.TaskID, Value: value,
	}) == nil
}
