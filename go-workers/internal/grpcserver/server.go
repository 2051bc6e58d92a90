// Package grpcserver serves what may be asked of a worker directly, by gRPC: its types, the check of a payload, and previews. The
// contract is schemas/proto/taskflow/worker/v1. Beside it there are the standard services for health and reflection.
package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	workerv1 "github.com/taskflow-hub/taskflow-hub/schemas/go/taskflow/worker/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

const (
	// maxResultBytes of a preview's result, as JSON text; a larger one is RESULT_TOO_LARGE.
	maxResultBytes = 1 << 20
	// maxRequestBytes is for a payload of 1 MiB and what is around it.
	maxRequestBytes  = 1<<20 + 1<<14
	maxResponseBytes = 2 << 20
	// maxStreams of one connection at once. More wait at the client; previews are bounded apart from it.
	maxStreams = 256
	// pingsAtMost: a client that asks more often whether the server is alive is disconnected.
	pingsAtMost = 5 * time.Second
)

// A Run runs the handler of a type once, and gives its result as JSON text or the error that it ends with. It may panic.
type Run func(ctx context.Context, definition *task.Definition, payload []byte, userID string) (result string, failure *schemas.TaskError)

// Options of a server. All are needed.
type Options struct {
	// Address to listen on, with a port; 0 takes any free one.
	Address  string
	WorkerID string
	Types    []*task.Definition
	Run      Run
	// Ready is nil when the worker is; health follows it.
	Ready func() error
	// Slots are how many previews run at once.
	Slots int
	// Grace is how long running previews may go on when the server stops.
	Grace      time.Duration
	Registerer prometheus.Registerer
	Logger     *slog.Logger
}

// A Server answers until it is stopped.
type Server struct {
	Port int
	stop func()
}

// Start listens, and begins to stop when ctx ends.
func Start(ctx context.Context, options Options) (*Server, error) {
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		return nil, fmt.Errorf("gRPC port %s: end what listens there or set TASKFLOW_GRPC_PORT: %w", options.Address, err)
	}
	server := serve(ctx, listener, options)
	server.Port = listener.Addr().(*net.TCPAddr).Port
	return server, nil
}

func serve(ctx context.Context, listener net.Listener, options Options) *Server {
	watch := newObserver(options)
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(watch.unary), grpc.ChainStreamInterceptor(watch.stream),
		grpc.MaxRecvMsgSize(maxRequestBytes), grpc.MaxSendMsgSize(maxResponseBytes), grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingsAtMost, PermitWithoutStream: true}),
	)
	workerv1.RegisterWorkerServiceServer(server, newService(options))
	health := newReadiness(options.Ready)
	grpc_health_v1.RegisterHealthServer(server, health)
	reflection.Register(server)

	following, unfollow := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { health.follow(following) })
	running.Go(func() {
		if err := server.Serve(listener); err != nil {
			options.Logger.Error("the gRPC server ended", "error", err)
		}
	})
	s := &Server{stop: sync.OnceFunc(func() {
		unfollow()
		health.Shutdown()
		hard := time.AfterFunc(options.Grace, server.Stop)
		server.GracefulStop()
		hard.Stop()
		running.Wait()
	})}
	context.AfterFunc(ctx, s.stop)
	return s
}

// Stop takes no more calls, gives running ones the grace, and returns when the server has ended.
func (s *Server) Stop() { s.stop() }
