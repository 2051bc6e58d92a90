package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// signal writes a record of the control topic, as the api does; nil removes what its key says.
func (f *fixture) signal(key string, record schemas.Record) {
	f.Helper()
	var value []byte
	if record != nil {
		var err error
		if value, err = f.codec.Encode(record); err != nil {
			f.Fatal(err)
		}
	}
	if err := f.client.ProduceSync(f.Context(), &kgo.Record{Topic: schemas.ControlTopic, Key: []byte(key), Value: value}).FirstErr(); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) cancel(event *schemas.TaskQueued) {
	f.Helper()
	f.signal(event.TaskID, &schemas.TaskCancelRequested{
		TaskID: event.TaskID, Generation: event.Generation, EventID: event.EventID, Type: event.Type, OccurredAt: time.Now().UnixMilli(),
	})
}

func TestIntegrationACancelledTaskIsDroppedOrAborted(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	aborted := make(chan error, 1)
	definition := f.define(func(ctx context.Context, job task.Job[payload]) (any, error) {
		if job.Payload.Do != "wait" {
			return "done", nil
		}
		<-ctx.Done()
		aborted <- context.Cause(ctx)
		return nil, ctx.Err()
	})
	before, redriven := f.queued(`{"do":"echo"}`), f.queued(`{"do":"echo"}`)
	f.cancel(before) // the worker has read it before it fetches
	f.cancel(redriven)
	redriven.Generation = 1
	running, handedOver := f.queued(`{"do":"wait"}`), f.queued(`{"do":"wait"}`)
	f.submit(before, redriven, running, handedOver)
	f.work(definition, map[string]string{"TASKFLOW_HAND_OVER_AFTER_MS": "300"})
	f.untilStarted(running.TaskID, 1)
	f.cancel(running)
	if cause := <-aborted; cause == nil || cause.Error() != "CANCELLED: The task was cancelled" {
		t.Errorf("its handler was told %v", cause)
	}
	kafkatest.Until(t, "the other one is handed over", func() bool { return f.handedOver(handedOver.TaskID) == 1 })
	f.cancel(handedOver)
	<-aborted
	if _, ok := f.end(redriven.TaskID).(*schemas.TaskSucceeded); !ok {
		t.Errorf("a redriven task: %+v", f.end(redriven.TaskID))
	}
	f.untilSettled()
	after := f.queued(`{"do":"echo"}`) // a slot is free again, and what was written before this is read
	f.submit(after)
	f.end(after.TaskID)
	if starts := f.startsOf(before.TaskID); len(starts) > 0 {
		t.Errorf("what was cancelled in the queue was started by %v", starts)
	}
	for _, event := range []*schemas.TaskQueued{before, running, handedOver} {
		if f.count(schemas.NameTaskRetryScheduled, event.TaskID)+len(f.ends(event.TaskID)) > 0 {
			t.Errorf("the worker said of a cancelled task: %v", f.of(event.TaskID))
		}
	}
}

func TestIntegrationAPausedTypeIsNotFetched(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	g := &fixture{T: t, brokers: f.brokers, registry: f.registry, client: f.client, codec: f.codec, seen: map[string]bool{}, taskType: kafkatest.Name("go_other")}
	g.prepare()
	f.workAll(map[string]string{}, f.define(handler), g.define(handler))
	first := f.queued(`{"do":"echo"}`)
	f.submit(first)
	f.end(first.TaskID)

	f.signal(f.taskType, &schemas.TypePaused{Type: f.taskType, EventID: first.EventID, OccurredAt: time.Now().UnixMilli()})
	kafkatest.Until(t, "a cancel behind the pause has been read", func() bool {
		probe := g.queued(`{"do":"echo"}`) // of a type that goes on
		g.cancel(probe)
		g.submit(probe)
		after := g.queued(`{"do":"echo"}`)
		g.submit(after)
		g.end(after.TaskID)
		g.untilSettled()
		return len(g.startsOf(probe.TaskID)) == 0
	})
	waiting := f.queued(`{"do":"echo"}`)
	f.submit(waiting)
	for i := range 20 { // meanwhile the other type is served, and waited for, again and again
		event := g.queued(fmt.Sprintf(`{"do":"echo","value":%d}`, i))
		g.submit(event)
		g.end(event.TaskID)
	}
	if starts := f.startsOf(waiting.TaskID); len(starts) > 0 {
		t.Errorf("a task of a paused type was started by %v", starts)
	}
	f.signal(f.taskType, &schemas.TypeResumed{Type: f.taskType, EventID: first.EventID, OccurredAt: time.Now().UnixMilli()})
	f.end(waiting.TaskID)
	f.report("paused and resumed", []*schemas.TaskQueued{first, waiting})
}

func TestIntegrationASecondCopyIsNotRun(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	f.work(f.define(handler), nil)
	first := f.queued(`{"do":"echo"}`)
	f.submit(first)
	f.end(first.TaskID)
	second := *first
	second.Check = true
	f.submit(&second)
	other := f.queued(`{"do":"echo"}`, func(event *schemas.TaskQueued) { event.Check = true }) // the only one of its task
	f.submit(other)
	f.end(other.TaskID)
	f.untilSettled()
	f.report("copies", []*schemas.TaskQueued{first, other})
	if starts := f.startsOf(first.TaskID); len(starts) != 1 {
		t.Errorf("started by %v", starts)
	}
}

func TestIntegrationALongRunHoldsNothingBack(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	stop := f.work(f.define(handler), map[string]string{
		"TASKFLOW_MAX_RECORD_LOCKS": "100", "TASKFLOW_HAND_OVER_AFTER_MS": "3600000", "TASKFLOW_STOP_GRACE_MS": "0",
	})
	gate := newGate(t)
	long := f.queued(gate.payload("gate"))
	f.submit(long)
	f.untilStarted(long.TaskID, 1)
	short := f.many(300, `{"do":"nothing"}`)
	f.submit(short...)
	for _, event := range short {
		f.end(event.TaskID)
	}
	kafkatest.Until(t, "it is handed over, since its partition has moved on", func() bool { return f.handedOver(long.TaskID) > 0 })
	stop()
	if n := f.handedOver(long.TaskID); n != 1 {
		t.Errorf("it was handed over %d times", n)
	}
	f.report("short tasks beside a long one", short)
}

func TestIntegrationFailuresAreTriedAgain(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	f.work(f.define(handler), nil)
	retryable := f.queued(`{"do":"error"}`, func(event *schemas.TaskQueued) {
		event.Task.MaxAttempts, event.Task.BackoffBaseMs, event.Task.BackoffCapMs = 3, 1_000, 60_000
	})
	final := f.queued(`{"do":"fail"}`, func(event *schemas.TaskQueued) { event.Task.MaxAttempts = 3 })
	f.submit(retryable, final)
	f.end(final.TaskID)
	kafkatest.Until(t, "another attempt is planned", func() bool { return f.count(schemas.NameTaskRetryScheduled, retryable.TaskID) == 1 })
	for _, one := range f.of(retryable.TaskID) {
		if retry, ok := one.(*schemas.TaskRetryScheduled); ok {
			if delay := retry.RetryAt - retry.OccurredAt; delay < 0 || delay >= 1_000 || retry.Failures != 1 || retry.Error.Code != "HANDLER_ERROR" {
				t.Errorf("after %d ms: %+v", delay, retry)
			}
		}
	}
	f.untilSettled()
}
