package worker_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// newerSchema is an id that no registry has given, but the one below.
const newerSchema = 1_900_000_001

// A newerRegistry is the registry of the tests, which may be away; it also knows a TaskQueued of a version to come.
type newerRegistry struct {
	url   string
	away  atomic.Bool
	asked atomic.Int64 // for the newer schema
}

func newNewerRegistry(t *testing.T, real string) *newerRegistry {
	target, err := url.Parse(real)
	if err != nil {
		t.Fatal(err)
	}
	r := &newerRegistry{}
	proxy := &httputil.ReverseProxy{Rewrite: func(request *httputil.ProxyRequest) {
		request.Out.URL.Scheme, request.Out.URL.Host = target.Scheme, target.Host
		request.Out.Host = target.Host
	}}
	text := schemas.SchemaText(schemas.NameTaskQueued)
	answer, _ := json.Marshal(map[string]string{
		"schema": strings.TrimSuffix(text, "]}") + `,{"name":"mood","type":["null","string"],"default":null}]}`,
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		isNewer := strings.HasSuffix(request.URL.Path, fmt.Sprintf("/schemas/ids/%d", newerSchema))
		if isNewer {
			r.asked.Add(1)
		}
		switch {
		case r.away.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case isNewer:
			_, _ = w.Write(answer)
		default:
			proxy.ServeHTTP(w, request)
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + target.Path
	return r
}

// submitNewer submits as an api of the version to come does.
func (f *fixture) submitNewer(event *schemas.TaskQueued) {
	f.Helper()
	value, err := f.codec.Encode(event)
	if err != nil {
		f.Fatal(err)
	}
	binary.BigEndian.PutUint32(value[1:], newerSchema)
	record := &kgo.Record{
		Topic: schemas.QueueTopic(event.Type, event.Priority), Key: []byte(event.TaskID), Value: append(value, 0), // no mood
	}
	if err := f.client.ProduceSync(f.Context(), record).FirstErr(); err != nil {
		f.Fatal(err)
	}
}

// undecided is how often the worker at a status port has given back what nobody could decide.
func (f *fixture) undecided(statusPort int) int {
	f.Helper()
	request, err := http.NewRequestWithContext(f.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", statusPort), nil)
	if err != nil {
		f.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		f.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.Fatal(err)
	}
	count := 0
	if match := undecidedMetric.FindSubmatch(text); match != nil {
		count, _ = strconv.Atoi(string(match[1]))
	}
	return count
}

var undecidedMetric = regexp.MustCompile(`taskflow_worker_checks_total\{decision="undecided",[^}]*\} (\d+)`)

func TestIntegrationARecordOfANewerSchemaWaitsForTheRegistry(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	registry := newNewerRegistry(t, f.registry)
	f.registry = registry.url
	statusPort := kafkatest.FreePorts(t, 1)[0]
	f.work(f.define(handler), map[string]string{
		"TASKFLOW_STATUS_PORT": fmt.Sprint(statusPort), "TASKFLOW_LOCK_RENEW_MS": "500",
		// Ten seconds' worth.
		"TASKFLOW_HAND_OVER_AFTER_MS": "300", "TASKFLOW_LOOK_AGAIN_AFTER_RESTART_MS": "50",
	})
	first := f.queued(`{"do":"echo"}`)
	f.submit(first)
	f.end(first.TaskID)
	registry.away.Store(true)
	newer := f.queued(`{"do":"echo","value":"newer"}`)
	f.submitNewer(newer)
	// It is given back so often that one more time, and it would have to go through the log; then its lock is renewed.
	kafkatest.Until(t, "it was given back six times", func() bool { return f.undecided(statusPort) >= 6 })
	asked := registry.asked.Load()
	neighbour := f.queued(`{"do":"echo"}`)
	f.submit(neighbour)
	f.end(neighbour.TaskID)
	kafkatest.Until(t, "the registry was asked in vain for longer than a lock", func() bool { return registry.asked.Load() >= asked+4 })
	registry.away.Store(false)
	if end, ok := f.end(newer.TaskID).(*schemas.TaskSucceeded); !ok || *end.Result.Value != `"newer"` {
		t.Errorf("it ends as %+v", f.end(newer.TaskID))
	}
	f.untilSettled()
	if count := f.undecided(statusPort); count != 6 {
		t.Errorf("it was given back %d times", count)
	}
	var started []*schemas.TaskStarted
	for _, event := range f.of(newer.TaskID) {
		if one, ok := event.(*schemas.TaskStarted); ok {
			started = append(started, one)
		}
	}
	if len(started) != 1 || started[0].Delivery != 7 {
		t.Errorf("it was started as %+v", started)
	}
}

func TestIntegrationARecordOfANewerSchemaIsGivenBackByAWorkerThatStops(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	registry := newNewerRegistry(t, f.registry)
	f.registry = registry.url
	stop := f.work(f.define(handler), map[string]string{"TASKFLOW_WORKER_NAME": "ignorant"})
	first := f.queued(`{"do":"echo"}`)
	f.submit(first)
	f.end(first.TaskID)
	registry.away.Store(true)
	newer := f.queued(`{"do":"echo"}`)
	f.submitNewer(newer)
	kafkatest.Until(t, "the worker holds it", func() bool { return registry.asked.Load() > 0 })
	stop()
	registry.away.Store(false)
	f.work(f.define(handler), map[string]string{"TASKFLOW_WORKER_NAME": "knowing"})
	f.end(newer.TaskID)
	if starts := f.startsOf(newer.TaskID); len(starts) != 1 || starts[0] != "knowing" {
		t.Errorf("started by %v", starts)
	}
	f.untilSettled()
}
