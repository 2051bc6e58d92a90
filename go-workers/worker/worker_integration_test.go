package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// handler does what payloads of tests ask for.
func handler(ctx context.Context, job task.Job[payload]) (any, error) {
	switch job.Payload.Do {
	case "echo":
		return job.Payload.Value, nil
	case "log":
		job.Log.With("by", "test").Info("a line", "answer", 42)
		for range 300 {
			job.Log.Debug("another")
		}
		return nil, nil
	case "progress":
		for i := range 1_200 {
			job.Progress(float64(i)/1_200, "working")
			time.Sleep(time.Millisecond)
		}
		return nil, nil
	case "fail":
		return nil, &task.Error{Code: "HTTP_STATUS", Message: "The server answered 404", Final: true, Details: map[string]int{"status": 404}}
	case "error":
		return nil, errors.New("something broke")
	case "panic":
		var none map[string]int
		none["x"] = 1
	case "large":
		return strings.Repeat("x", 70_000), nil
	case "deep":
		var value any
		for range 70 {
			value = []any{value}
		}
		return value, nil
	case "unwritable":
		return make(chan int), nil
	case "dirty":
		return json.RawMessage(`{"a\u0000b":"\ud800 \u0000 \ud83d\ude00"}`), nil
	case "wait":
		<-ctx.Done()
		return nil, context.Cause(ctx)
	case "ignore":
		time.Sleep(2 * time.Second)
		return "too late", nil
	case "sleep":
		time.Sleep(50 * time.Millisecond)
		return nil, nil
	case "gate", "gate-fail":
		return passGate(ctx, job)
	case "die":
		os.Exit(3)
	}
	return nil, nil
}

func TestIntegrationOutcomes(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	// Nothing that is too large for an event goes elsewhere.
	f.work(f.define(handler), map[string]string{"TASKFLOW_MAX_BLOB_BYTES": "65536"})
	past := time.Now().Add(-time.Hour).UnixMilli()
	expired := func(event *schemas.TaskQueued) { event.Task.ExpiresAt = &past }
	short := func(event *schemas.TaskQueued) { event.Task.TimeoutMs = 50 }
	for _, test := range []struct {
		payload string
		adjust  func(*schemas.TaskQueued)
		want    string // the result, or the error's code
	}{
		{`{"do":"echo","value":{"a":[1,"<&>"]}}`, nil, `{"a":[1,"<&>"]}`},
		{`{"do":"nothing"}`, nil, `null`},
		{`{"do":"dirty"}`, nil, `{"a` + "\ufffd" + `b":"` + "\ufffd \ufffd \U0001F600" + `"}`},
		{`{"do":"fail"}`, nil, "HTTP_STATUS"}, {`{"do":"error"}`, nil, "HANDLER_ERROR"}, {`{"do":"panic"}`, nil, "HANDLER_ERROR"},
		{`{"do":"large"}`, nil, "RESULT_TOO_LARGE"}, {`{"do":"deep"}`, nil, "RESULT_INVALID"}, {`{"do":"unwritable"}`, nil, "RESULT_INVALID"},
		{`{"do":7}`, nil, "PAYLOAD_INVALID"}, {`{`, nil, "PAYLOAD_INVALID"}, {`{"do":"echo"}`, expired, "EXPIRED"},
		{`{"do":"wait"}`, short, "TIMEOUT"}, {`{"do":"ignore"}`, short, "TIMEOUT"},
	} {
		event := f.queued(test.payload)
		if test.adjust != nil {
			test.adjust(event)
		}
		f.submit(event)
		switch end := f.end(event.TaskID).(type) {
		case *schemas.TaskSucceeded:
			if *end.Result.Value != test.want || end.Result.Storage != "inline" || end.Result.Size != int64(len(test.want)) {
				t.Errorf("%s gives %+v: %s", test.payload, end.Result, *end.Result.Value)
			}
		case *schemas.TaskFailed:
			if end.Error.Code != test.want || end.Failures != 1 {
				t.Errorf("%s fails with %+v", test.payload, end.Error)
			}
		}
	}
	f.untilSettled()
	for _, event := range f.of("") {
		if started, ok := event.(*schemas.TaskStarted); ok && (started.Starts != 1 || started.Delivery != 1 || !strings.HasPrefix(started.WorkerID, "go-worker.")) {
			t.Errorf("a start: %+v", started)
		}
	}
}

// untilSettled waits until nothing is left in the queue of normal priority.
func (f *fixture) untilSettled() {
	f.Helper()
	kafkatest.Until(f, "the group has accepted all", func() bool {
		return kafkatest.Lag(f, f.client, schemas.ShareGroup(f.taskType, "normal"), schemas.QueueTopic(f.taskType, "normal")) == 0
	})
}

func TestIntegrationRecordsThatNobodyCanProcess(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	topic := schemas.QueueTopic(f.taskType, "normal")
	kafkatest.Produce(t, f.client, topic, "poison", "", "\x00\x00\x00")
	misplaced := f.queued(`{"do":"echo"}`, func(event *schemas.TaskQueued) { event.Priority = "high" })
	value, err := f.codec.Encode(misplaced)
	if err != nil {
		t.Fatal(err)
	}
	kafkatest.Produce(t, f.client, topic, string(value), "\x00\x05\xf5\xe0\xffunknown schema")
	good := f.queued(`{"do":"echo","value":"good"}`)
	f.submit(good)
	f.work(f.define(handler), nil)
	if _, ok := f.end(good.TaskID).(*schemas.TaskSucceeded); !ok {
		t.Error("its neighbour failed")
	}
	f.untilSettled()
	if len(f.of(misplaced.TaskID)) != 0 {
		t.Error("what lies in the wrong queue was run")
	}
}

func TestIntegrationLogLinesAndProgress(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	f.work(f.define(handler), nil)
	logs, progress := f.queued(`{"do":"log"}`), f.queued(`{"do":"progress"}`)
	f.submit(logs, progress)
	f.end(logs.TaskID)
	f.end(progress.TaskID)
	kafkatest.Until(t, "all lines have come", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.lines) >= 201
	})
	f.mu.Lock()
	first, last := f.lines[0], f.lines[200]
	f.mu.Unlock()
	if first.Message != "a line" || *first.Fields != `{"answer":42,"by":"test"}` || first.Level != "info" || first.Seq != 0 {
		t.Errorf("the first line is %+v", first)
	}
	if *last.Fields != `{"dropped":101,"limit":200}` || last.Level != "warn" || last.Seq != 200 {
		t.Errorf("the last line is %+v", last)
	}
	if n := f.count(schemas.NameTaskHeartbeat, progress.TaskID); n < 1 || n > 3 {
		t.Errorf("%d heartbeats for 1.2 s of progress", n)
	}
}

func TestIntegrationStopGivesBackWhatTheGraceDidNotSufficeFor(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	var starts atomic.Int32
	waiting := make(chan struct{})
	definition := f.define(func(ctx context.Context, job task.Job[payload]) (any, error) {
		if starts.Add(1) == 1 {
			close(waiting)
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		return "done", nil
	})
	stop := f.work(definition, map[string]string{"TASKFLOW_STOP_GRACE_MS": "100"})
	event := f.queued(`{"do":"wait"}`)
	f.submit(event)
	<-waiting
	stop()
	if len(f.of(event.TaskID)) != 1 {
		t.Errorf("a stopped worker wrote %v", f.of(event.TaskID))
	}
	f.work(definition, nil)
	if _, ok := f.end(event.TaskID).(*schemas.TaskSucceeded); !ok || starts.Load() != 2 {
		t.Errorf("after %d starts: %+v", starts.Load(), f.end(event.TaskID))
	}
	f.untilSettled()
}

func TestIntegrationATypeInTheCatalogue(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	f.work(f.define(handler), nil)
	reader := kafkatest.Client(t, f.brokers, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{schemas.TypesTopic: {0: kgo.NewOffset().AtStart()}}))
	var found *schemas.TaskTypeRegistered
	kafkatest.Until(t, "the type is registered", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		reader.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			if decoded, err := f.codec.Decode(record.Value); err == nil && string(record.Key) == f.taskType {
				found = decoded.(*schemas.TaskTypeRegistered)
			}
		})
		return found != nil
	})
	var schema struct {
		Schema, Type string
		Required     []string
	}
	if err := json.Unmarshal([]byte(strings.Replace(found.PayloadSchema, "$schema", "schema", 1)), &schema); err != nil {
		t.Fatal(err)
	}
	if found.Runtime != "go" || found.MaxAttempts != 3 || found.TimeoutMs != 30_000 || schema.Type != "object" || schema.Schema == "" {
		t.Errorf("the registration is %+v", found)
	}
}

func TestIntegrationTwoWorkersShareTheWorkOfAType(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	f.startProcess("one")
	f.startProcess("two")
	var all []*schemas.TaskQueued
	for i := range 300 {
		all = append(all, f.queued(`{"do":"sleep"}`, func(event *schemas.TaskQueued) {
			event.TaskID = fmt.Sprintf("01990000-0000-7000-8000-%012x", i)
		}))
	}
	f.submit(all...)
	kafkatest.Until(t, "all have succeeded", func() bool { return f.count(schemas.NameTaskSucceeded, "") >= 300 })
	f.untilSettled()
	workers := map[string]int{}
	for _, event := range f.of("") {
		if event.RecordName() == schemas.NameTaskStarted {
			workers[event.EventHead().WorkerID]++
		}
	}
	if n := f.count(schemas.NameTaskStarted, ""); n != 300 || len(workers) != 2 {
		t.Errorf("%d starts, by %v", n, workers)
	}
}

func TestIntegrationABrokerThatRestartsUnderAWorker(t *testing.T) {
	broker := kafkatest.StartBroker(t, nil)
	f := newFixture(t, []string{broker.Address})
	release := make(chan struct{})
	f.work(f.define(func(ctx context.Context, job task.Job[payload]) (any, error) {
		if job.Payload.Do == "hold" {
			<-release
		}
		return "done", nil
	}), nil)
	before, during := f.queued(`{"do":"echo"}`), f.queued(`{"do":"hold"}`)
	f.submit(before, during)
	f.end(before.TaskID)
	kafkatest.Until(t, "it runs", func() bool { return f.count(schemas.NameTaskStarted, during.TaskID) == 1 })
	broker.Kill()
	close(release) // its outcome has to wait for the broker
	broker.Start()
	after := f.queued(`{"do":"echo"}`)
	f.submit(after)
	for _, event := range []*schemas.TaskQueued{during, after} {
		if _, ok := f.end(event.TaskID).(*schemas.TaskSucceeded); !ok {
			t.Errorf("it failed: %+v", f.end(event.TaskID))
		}
	}
	f.untilSettled()
}
