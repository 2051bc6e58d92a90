package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/registry"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/topics"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/worker"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A fixture is a task type of its own, whose queue and log the test writes and reads as api and projector do.
type fixture struct {
	*testing.T
	brokers  []string
	registry string
	client   *kgo.Client
	codec    *schemas.Codec
	taskType string

	mu     sync.Mutex
	seen   map[string]bool
	events []schemas.Event
	lines  []*schemas.TaskLogLine
	// For the report of a test that fails: the ids of tasks, and where and when events were appended.
	submitted []string
	places    map[string]string
}

func newFixture(t *testing.T, brokers []string) *fixture {
	t.Helper()
	f := &fixture{T: t, brokers: brokers, registry: kafkatest.RegistryURL(t), client: kafkatest.Client(t, brokers), seen: map[string]bool{}, taskType: kafkatest.Name("go_test")}
	connected, err := registry.Connect(t.Context(), f.registry, kafkatest.Logger())
	if err != nil {
		t.Fatal(err)
	}
	f.codec = connected.Codec
	f.prepare()
	t.Cleanup(func() {
		if t.Failed() {
			f.tellOdd()
		}
	})
	return f
}

// tellOdd logs what the log says of tasks that have not ended, or were started or have ended twice.
func (f *fixture) tellOdd() {
	f.mu.Lock()
	submitted := slices.Clone(f.submitted)
	f.mu.Unlock()
	for _, taskID := range submitted {
		if len(f.ends(taskID)) == 1 && len(f.startsOf(taskID)) <= 1 {
			continue
		}
		f.Logf("task %s:", taskID)
		for _, event := range f.of(taskID) {
			text, _ := json.Marshal(event)
			f.mu.Lock()
			f.Logf("  %s %s %s", f.places[event.EventHead().EventID], event.RecordName(), text)
			f.mu.Unlock()
		}
	}
}

// prepare the topics of the type, and read them from now on.
func (f *fixture) prepare() {
	f.Helper()
	ensureSystemTopics(f.T, f.client)
	if err := topics.Ensure(f.Context(), f.client, f.taskType, topics.Settings{}, kafkatest.Logger()); err != nil {
		f.Fatal(err)
	}
	read := []string{schemas.LogsTopic}
	for _, priority := range schemas.Priorities {
		read = append(read, schemas.EventsTopic(f.taskType, priority))
	}
	reader := kafkatest.Client(f, f.brokers, kgo.ConsumeTopics(read...), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond))
	go func() {
		for f.Context().Err() == nil {
			reader.PollFetches(f.Context()).EachRecord(f.read)
		}
	}()
}

// ensureSystemTopics makes those that `make start` makes, where they are not there.
func ensureSystemTopics(t *testing.T, client *kgo.Client) {
	t.Helper()
	for _, name := range []string{schemas.TypesTopic, schemas.LogsTopic, schemas.ControlTopic} {
		kafkatest.EnsureTopic(t, client, name, 1)
	}
}

func (f *fixture) read(record *kgo.Record) {
	decoded, err := f.codec.Decode(record.Value)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch decoded := decoded.(type) {
	case schemas.Event:
		// What was sent again may be on the log twice.
		if id := decoded.EventHead().EventID; !f.seen[id] {
			f.seen[id] = true
			f.events = append(f.events, decoded)
			if f.places == nil {
				f.places = map[string]string{}
			}
			f.places[id] = fmt.Sprintf("%d/%d (epoch %d) %s", record.Partition, record.Offset, record.LeaderEpoch, record.Timestamp.Format("05.000"))
		}
	case *schemas.TaskLogLine:
		if decoded.Type == f.taskType {
			f.lines = append(f.lines, decoded)
		}
	}
}

// taskIDs are counted, for the clock may not move on between two of them.
var taskIDs atomic.Uint32

// queued is an attempt as the api queues it.
func (f *fixture) queued(payload string, adjust ...func(*schemas.TaskQueued)) *schemas.TaskQueued {
	id := fmt.Sprintf("0199%04x-0000-7000-8000-%04x%08x", time.Now().UnixMilli()&0xffff, time.Now().Unix()&0xffff, taskIDs.Add(1))
	event := &schemas.TaskQueued{
		Head: schemas.Head{
			TaskID: id, Attempt: 1, EventID: id, UserID: "00000000-0000-4000-8000-000000000001", Type: f.taskType, Priority: "normal",
			OccurredAt: time.Now().UnixMilli(),
		},
		Task: schemas.Task{
			Payload: payload, MaxAttempts: 1, BackoffFactor: 2, NotRetryable: []string{}, Tags: []string{}, TimeoutMs: 30_000,
		},
		EventsPartition: int32(time.Now().UnixNano() % 3), Cause: "submit",
	}
	for _, one := range adjust {
		one(event)
	}
	return event
}

func (f *fixture) submit(events ...*schemas.TaskQueued) {
	f.Helper()
	var records []*kgo.Record
	for _, event := range events {
		value, err := f.codec.Encode(event)
		if err != nil {
			f.Fatal(err)
		}
		records = append(records, &kgo.Record{Topic: schemas.QueueTopic(event.Type, event.Priority), Key: []byte(event.TaskID), Value: value})
		f.mu.Lock()
		f.submitted = append(f.submitted, event.TaskID)
		f.mu.Unlock()
	}
	if err := f.client.ProduceSync(f.Context(), records...).FirstErr(); err != nil {
		f.Fatal(err)
	}
}

// of gives the events of one task so far; of all tasks for an empty id.
func (f *fixture) of(taskID string) []schemas.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []schemas.Event
	for _, event := range f.events {
		if taskID == "" || event.EventHead().TaskID == taskID {
			found = append(found, event)
		}
	}
	return found
}

// end waits for the first end of a task.
func (f *fixture) end(taskID string) schemas.Event {
	f.Helper()
	var end schemas.Event
	kafkatest.Until(f, "task "+taskID+" has ended", func() bool {
		for _, event := range f.of(taskID) {
			if schemas.StatusOf(event.RecordName()).Ended() {
				end = event
				return true
			}
		}
		return false
	})
	return end
}

func (f *fixture) count(name schemas.RecordName, taskID string) (count int) {
	for _, event := range f.of(taskID) {
		if event.RecordName() == name {
			count++
		}
	}
	return count
}

// config is that of a worker on the fixture's stack.
func (f *fixture) config(environment map[string]string) config.Config {
	f.Helper()
	c, err := config.Read(func(name string) string {
		switch name {
		case "TASKFLOW_KAFKA_BROKERS":
			return strings.Join(f.brokers, ",")
		case "TASKFLOW_REGISTRY_URL":
			return f.registry
		}
		return environment[name]
	})
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// work runs a worker of a type in this process until stop is called, or the test ends.
func (f *fixture) work(definition *task.Definition, environment map[string]string) (stop func()) {
	f.Helper()
	return f.workAll(environment, definition)
}

// workAll runs a worker of several types.
func (f *fixture) workAll(environment map[string]string, definitions ...*task.Definition) (stop func()) {
	f.Helper()
	return f.workOver((&net.Dialer{}).DialContext, environment, definitions...)
}

// workOver runs it over a network that may have faults.
func (f *fixture) workOver(dial sharequeue.Dialer, environment map[string]string, definitions ...*task.Definition) (stop func()) {
	f.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- worker.RunOver(ctx, dial, f.config(environment), definitions, kafkatest.Logger())
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				f.Error(err)
			}
		})
	}
	f.Cleanup(stop)
	return stop
}

// payload of the type that tests define.
type payload struct {
	Do    string          `json:"do"`
	Value json.RawMessage `json:"value,omitempty"`
}

const payloadSchema = `{"type":"object","properties":{"do":{"type":"string"},"value":{}},"required":["do"],"additionalProperties":false}`

// define a type by what its handler does.
func (f *fixture) define(run func(ctx context.Context, job task.Job[payload]) (any, error), adjust ...func(*task.Spec[payload, any])) *task.Definition {
	spec := task.Spec[payload, any]{
		Type: f.taskType, Version: 1, PayloadSchema: payloadSchema, ResultSchema: "{}", Inline: true, Slots: 8, Run: run,
	}
	for _, one := range adjust {
		one(&spec)
	}
	return task.Define(spec)
}

// TestMain lets a test run a worker as a process of its own, which it may kill: the same binary, told so by a variable.
func TestMain(m *testing.M) {
	if os.Getenv("GO_WORKER_OF_A_TEST") != "" {
		workerProcess()
		return
	}
	os.Exit(m.Run())
}
