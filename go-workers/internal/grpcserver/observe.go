package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An observer counts and logs calls.
type observer struct {
	seconds *prometheus.HistogramVec
	logger  *slog.Logger
}

func newObserver(options Options) *observer {
	o := &observer{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "taskflow", Name: "worker_grpc_seconds", Help: "Time of a gRPC call, by method and status code.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30},
		}, []string{"method", "code"}),
		logger: options.Logger,
	}
	options.Registerer.MustRegister(o.seconds)
	return o
}

// recovered makes an INTERNAL of a panic; to be deferred.
func recovered(logger *slog.Logger, where string, err *error) {
	if thrown := recover(); thrown != nil {
		logger.Error("a gRPC call panicked", "where", where, "panic", fmt.Sprint(thrown), "stack", string(debug.Stack()))
		*err = status.Errorf(codes.Internal, "%s panicked: %v", where, thrown)
	}
}

func (o *observer) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (response any, err error) {
	began := time.Now()
	defer func() { o.ended(info.FullMethod, began, err) }()
	defer recovered(o.logger, info.FullMethod, &err)
	return handle(ctx, request)
}

func (o *observer) stream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	began := time.Now()
	defer func() { o.ended(info.FullMethod, began, err) }()
	defer recovered(o.logger, info.FullMethod, &err)
	return handle(service, stream)
}

func (o *observer) ended(method string, began time.Time, err error) {
	code := status.Code(err)
	took := time.Since(began)
	o.seconds.WithLabelValues(method, code.String()).Observe(took.Seconds())
	o.logger.Debug("gRPC call", "method", method, "code", code.String(), "ms", took.Milliseconds(), "error", err)
}
