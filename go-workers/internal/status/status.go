// Package status serves /healthz (the process answers), /readyz (503 where a check fails) and /metrics.
package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Server answers until it is stopped.
type Server struct {
	Port   int
	server http.Server

	mu     sync.Mutex
	names  []string
	checks map[string]func() error
}

// Start listens on address. The server is not ready before a check was added.
func Start(address string, metrics prometheus.Gatherer) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("status port %s: end what listens there or set TASKFLOW_STATUS_PORT: %w", address, err)
	}
	s := &Server{Port: listener.Addr().(*net.TCPAddr).Port, checks: map[string]func() error{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	s.server = http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

// Check adds a check that is asked at each report; its error makes the process not ready.
func (s *Server) Check(name string, check func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checks[name] == nil {
		s.names = append(s.names, name)
	}
	s.checks[name] = check
}

// Ready gives what /readyz would answer: nil, or what fails.
func (s *Server) Ready() error {
	_, err := s.report()
	return err
}

// Stop ends the server.
func (s *Server) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		_ = s.server.Close()
	}
}

type checkState struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	states, err := s.report()
	status, code := "ready", 200
	if err != nil {
		status, code = "not-ready", 503
	}
	answer(w, code, map[string]any{"status": status, "checks": states})
}

// report asks all checks; the error joins those that fail.
func (s *Server) report() (map[string]checkState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := map[string]checkState{}
	var failing error
	for _, name := range s.names {
		states[name] = checkState{State: "ok"}
		if err := s.checks[name](); err != nil {
			states[name] = checkState{"failing", err.Error()}
			failing = errors.Join(failing, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(states) == 0 {
		failing = errors.New("nothing is known yet")
	}
	return states, failing
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
