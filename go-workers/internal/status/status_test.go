package status_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/status"
)

func get(t *testing.T, port int, path string) (int, string) {
	t.Helper()
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

func TestServer(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "taskflow_example"}))
	server, err := status.Start("127.0.0.1:0", registry)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	if code, _ := get(t, server.Port, "/healthz"); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
	if code, _ := get(t, server.Port, "/readyz"); code != 503 {
		t.Errorf("/readyz before any check: %d", code)
	}
	var failing error
	server.Check("queues", func() error { return failing })
	if code, text := get(t, server.Port, "/readyz"); code != 200 || !strings.Contains(text, `"ready"`) {
		t.Errorf("/readyz: %d %s", code, text)
	}
	failing = errors.New("no session")
	if code, text := get(t, server.Port, "/readyz"); code != 503 || !strings.Contains(text, "no session") {
		t.Errorf("/readyz: %d %s", code, text)
	}
	if code, text := get(t, server.Port, "/metrics"); code != 200 || !strings.Contains(text, "taskflow_example 0") {
		t.Errorf("/metrics: %d %s", code, text)
	}
	if _, err := status.Start(fmt.Sprintf("127.0.0.1:%d", server.Port), registry); err == nil || !strings.Contains(err.Error(), "TASKFLOW_STATUS_PORT") {
		t.Errorf("a taken port: %v", err)
	}
}
