package grpcserver

import (
	"context"
	"time"

	workerv1 "github.com/taskflow-hub/taskflow-hub/schemas/go/taskflow/worker/v1"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// followEvery is how late a watcher may learn of a change.
const followEvery = time.Second

// A readiness is the standard health service. The worker as a whole (no service named) and its service say the same as /readyz.
type readiness struct {
	*health.Server
	ready func() error
}

func newReadiness(ready func() error) *readiness {
	r := &readiness{Server: health.NewServer(), ready: ready}
	r.refresh()
	return r
}

func (r *readiness) refresh() {
	status := grpc_health_v1.HealthCheckResponse_SERVING
	if r.ready() != nil {
		status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	for _, service := range []string{"", workerv1.WorkerService_ServiceDesc.ServiceName} {
		r.SetServingStatus(service, status)
	}
}

// follow keeps those informed who watch.
func (r *readiness) follow(ctx context.Context) {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.refresh()
		case <-ctx.Done():
			return
		}
	}
}

// Check asks anew, so that it never says what was.
func (r *readiness) Check(ctx context.Context, request *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	r.refresh()
	return r.Server.Check(ctx, request)
}
