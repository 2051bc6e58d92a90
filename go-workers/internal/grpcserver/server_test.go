package grpcserver

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	workerv1 "github.com/taskflow-hub/taskflow-hub/schemas/go/taskflow/worker/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

type payload struct {
	Do   string   `json:"do"`
	Tags []string `json:"tags,omitempty"`
	Deep struct {
		Count int `json:"count,omitempty"`
	} `json:"deep,omitzero"`
}

// A fixture is a server with one type, on a connection in memory, and a client of it.
type fixture struct {
	*testing.T
	client     workerv1.WorkerServiceClient
	connection *grpc.ClientConn
	server     *Server
	metrics    *prometheus.Registry
	// stopping ends what Start was given.
	stopping context.CancelFunc
	// entered has the user of each handler that begins; causes what ended the contexts of those that wait.
	entered chan string
	causes  chan error
	// release lets handlers go on that ignore their context.
	release chan struct{}
}

func newFixture(t *testing.T, adjust ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{
		T: t, metrics: prometheus.NewRegistry(), entered: make(chan string, 10), causes: make(chan error, 10), release: make(chan struct{}),
	}
	definition := task.Define(task.Spec[payload, any]{
		Type: "example", Version: 7, Run: func(context.Context, task.Job[payload]) (any, error) { return nil, nil },
		ResultSchema: "{}", Defaults: task.Defaults{TimeoutMs: 1_234, NotRetryable: []string{"HTTP_STATUS"}},
	})
	options := Options{
		WorkerID: "go-worker.1.abcd", Types: []*task.Definition{definition}, Run: f.run, Ready: func() error { return nil },
		Slots: 2, Grace: 10 * time.Second, Registerer: f.metrics, Logger: slog.New(slog.DiscardHandler),
	}
	for _, one := range adjust {
		one(&options)
	}
	listener := bufconn.Listen(1 << 16)
	ctx, cancel := context.WithCancel(t.Context())
	f.stopping = cancel
	f.server = serve(ctx, listener, options)
	t.Cleanup(f.server.Stop)
	connection, err := grpc.NewClient("passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	f.connection, f.client = connection, workerv1.NewWorkerServiceClient(connection)
	return f
}

// run does what payloads ask for.
func (f *fixture) run(ctx context.Context, _ *task.Definition, text []byte, userID string) (string, *schemas.TaskError) {
	var asked payload
	if err := json.Unmarshal(text, &asked); err != nil {
		return "", &schemas.TaskError{Code: "PAYLOAD_INVALID", Message: err.Error()}
	}
	switch asked.Do {
	case "fail":
		details := `{"status":404}`
		return "", &schemas.TaskError{Code: "HTTP_STATUS", Message: "The server answered 404", Retryable: true, Details: &details}
	case "panic":
		panic("a bug")
	case "large":
		return `"` + strings.Repeat("x", maxResultBytes) + `"`, nil
	case "wait":
		f.entered <- userID
		<-ctx.Done()
		f.causes <- ctx.Err()
		return "", &schemas.TaskError{Code: "HANDLER_ERROR", Message: ctx.Err().Error()}
	case "ignore":
		f.entered <- userID
		<-f.release
	}
	return `{"by":"` + userID + `"}`, nil
}

func (f *fixture) preview(ctx context.Context, do string) (*workerv1.PreviewResponse, error) {
	text, _ := json.Marshal(map[string]string{"do": do})
	return f.client.Preview(ctx, &workerv1.PreviewRequest{Type: "example", Payload: string(text), UserId: "ann"})
}

func (f *fixture) want(err error, code codes.Code, words string) {
	f.Helper()
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), words) {
		f.Errorf("it ends with %v, not with %v: %s", err, code, words)
	}
}

func TestDescribe(t *testing.T) {
	f := newFixture(t)
	described, err := f.client.Describe(t.Context(), &workerv1.DescribeRequest{})
	if err != nil || described.WorkerId != "go-worker.1.abcd" || len(described.Types) != 1 {
		t.Fatalf("%v, %v", described, err)
	}
	one := described.Types[0]
	if one.Name != "example" || one.Version != 7 || one.Runtime != "go" || one.ResultSchema == "" || !json.Valid([]byte(one.PayloadSchema)) ||
		one.Defaults.TimeoutMs != 1_234 || one.Defaults.MaxAttempts != 3 || one.Defaults.Priority != "normal" || len(one.Defaults.NotRetryable) != 1 {
		t.Errorf("the type is %v", one)
	}
}

func TestValidate(t *testing.T) {
	f := newFixture(t)
	for _, test := range []struct {
		payload string
		want    []string // path: message, its begin
	}{
		{`{"do":"x","tags":["a"],"deep":{"count":1}}`, nil},
		{`[]`, []string{"payload: type: "}},
		{`{}`, []string{"payload.do: is required"}},
		{`{"do":1}`, []string{"payload.do: type: "}},
		{`{"do":"x","a":1}`, []string{"payload.a: is not a known field"}},
		{`{"do":"x","tags":["a",1]}`, []string{"payload.tags: type: "}},
		{`{"do":"x","deep":{"count":"validating /properties/x: "}}`, []string{"payload.deep.count: type: "}},
		{`{"do":"x","deep":{"more":1}}`, []string{"payload.deep.more: is not a known field"}},
	} {
		response, err := f.client.Validate(t.Context(), &workerv1.ValidateRequest{Type: "example", Payload: test.payload})
		if err != nil || len(response.Errors) != len(test.want) {
			t.Errorf("%s: %v, %v", test.payload, response, err)
			continue
		}
		for i, fault := range response.Errors {
			if said := fault.Path + ": " + fault.Message; !strings.HasPrefix(said, test.want[i]) {
				t.Errorf("%s: %q", test.payload, said)
			}
		}
	}
	both, err := f.client.Validate(t.Context(), &workerv1.ValidateRequest{Type: "example", Payload: `{"do":"x","a":1,"b":2}`})
	if err != nil || len(both.Errors) != 2 {
		t.Errorf("two unknown fields: %v, %v", both, err)
	}
	_, err = f.client.Validate(t.Context(), &workerv1.ValidateRequest{Type: "example", Payload: `{`})
	f.want(err, codes.InvalidArgument, "not JSON")
	_, err = f.client.Validate(t.Context(), &workerv1.ValidateRequest{Payload: `{}`})
	f.want(err, codes.InvalidArgument, "names no type")
	_, err = f.client.Validate(t.Context(), &workerv1.ValidateRequest{Type: "web_scrape", Payload: `{}`})
	f.want(err, codes.Unimplemented, `does not run "web_scrape"; it runs example`)
}

func TestPreviewOutcomes(t *testing.T) {
	f := newFixture(t)
	response, err := f.preview(t.Context(), "echo")
	if err != nil || response.GetResult() != `{"by":"ann"}` || response.GetFailure() != nil {
		t.Errorf("a result: %v, %v", response, err)
	}
	response, err = f.preview(t.Context(), "fail")
	failure := response.GetFailure()
	if err != nil || failure.GetCode() != "HTTP_STATUS" || !failure.GetRetryable() || failure.GetDetails() != `{"status":404}` || failure.GetMessage() == "" {
		t.Errorf("a failure: %v, %v", response, err)
	}
	response, err = f.preview(t.Context(), "large")
	if failure := response.GetFailure(); err != nil || failure.GetCode() != "RESULT_TOO_LARGE" || failure.GetRetryable() {
		t.Errorf("a large result: %v, %v", failure, err)
	}
	_, err = f.preview(t.Context(), "panic")
	f.want(err, codes.Internal, "a bug")
	if _, err = f.preview(t.Context(), "echo"); err != nil {
		t.Errorf("after a panic: %v", err)
	}
	_, err = f.client.Preview(t.Context(), &workerv1.PreviewRequest{Type: "example", Payload: `{"tags":[]}`})
	f.want(err, codes.InvalidArgument, "payload.do: is required")
	_, err = f.client.Preview(t.Context(), &workerv1.PreviewRequest{Type: "nothing", Payload: `{}`})
	f.want(err, codes.Unimplemented, "nothing")
	_, err = f.preview(t.Context(), strings.Repeat("x", maxRequestBytes))
	f.want(err, codes.ResourceExhausted, "larger than max")
}

func TestTheDeadlineEndsTheHandlersContext(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := f.preview(ctx, "wait")
	f.want(err, codes.DeadlineExceeded, "")
	if user, cause := <-f.entered, <-f.causes; user != "ann" || cause == nil {
		t.Errorf("the handler of %s went on", user)
	}
}

func TestWhenTheCallerGoesAwayTheHandlersContextEnds(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.entered
		cancel()
	}()
	_, err := f.preview(ctx, "wait")
	f.want(err, codes.Canceled, "")
	if cause := <-f.causes; cause != context.Canceled {
		t.Errorf("the handler's context ended with %v", cause)
	}
}

func TestWhenTheConnectionBreaksTheHandlersContextEnds(t *testing.T) {
	f := newFixture(t)
	go func() {
		<-f.entered
		_ = f.connection.Close()
	}()
	if _, err := f.preview(t.Context(), "wait"); err == nil {
		t.Error("it ends well")
	}
	<-f.causes
}

func TestPreviewsAreBounded(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := f.preview(ctx, "ignore")
			answered <- err
		}()
		<-f.entered
	}
	_, err := f.preview(t.Context(), "echo")
	f.want(err, codes.ResourceExhausted, "All 2 slots")
	cancel()
	f.want(<-answered, codes.Canceled, "")
	f.want(<-answered, codes.Canceled, "")
	_, err = f.preview(t.Context(), "echo")
	f.want(err, codes.ResourceExhausted, "All 2 slots") // their handlers ignore that the callers are gone
	if _, err := f.client.Validate(t.Context(), &workerv1.ValidateRequest{Type: "example", Payload: `{"do":"x"}`}); err != nil {
		t.Errorf("the other methods need no slot: %v", err)
	}
	close(f.release)
	for {
		if _, err = f.preview(t.Context(), "echo"); err == nil {
			return
		}
		f.want(err, codes.ResourceExhausted, "All 2 slots")
	}
}

func TestStopLetsRunningPreviewsEnd(t *testing.T) {
	f := newFixture(t)
	answered := make(chan error, 1)
	go func() {
		_, err := f.preview(t.Context(), "ignore")
		answered <- err
	}()
	<-f.entered
	stopped := make(chan struct{})
	f.stopping()
	go func() {
		f.server.Stop()
		close(stopped)
	}()
	refused := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := f.preview(ctx, "echo")
		return status.Code(err) == codes.Unavailable
	}
	for !refused() {
	}
	close(f.release)
	if err := <-answered; err != nil {
		t.Errorf("the running one: %v", err)
	}
	<-stopped
}

func TestStopEndsWhatOutlastsTheGrace(t *testing.T) {
	f := newFixture(t, func(options *Options) { options.Grace = 10 * time.Millisecond })
	answered := make(chan error, 1)
	go func() {
		_, err := f.preview(t.Context(), "wait")
		answered <- err
	}()
	<-f.entered
	f.server.Stop()
	f.want(<-answered, codes.Unavailable, "")
	if cause := <-f.causes; cause != context.Canceled {
		t.Errorf("the handler's context ended with %v", cause)
	}
}

func TestCallsAreCounted(t *testing.T) {
	f := newFixture(t)
	_, _ = f.preview(t.Context(), "echo")
	_, _ = f.preview(t.Context(), "panic")
	families, err := f.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, metric := range families[0].Metric {
		seen = append(seen, metric.Label[0].GetValue()+" "+metric.Label[1].GetValue())
	}
	if name := families[0].GetName(); name != "taskflow_worker_grpc_seconds" || !slices.Equal(seen, []string{
		"Internal /taskflow.worker.v1.WorkerService/Preview", "OK /taskflow.worker.v1.WorkerService/Preview",
	}) {
		t.Errorf("%s: %q", name, seen)
	}
}
