package grpcserver

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/catalogue"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	workerv1 "github.com/taskflow-hub/taskflow-hub/schemas/go/taskflow/worker/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A service answers what the contract says.
type service struct {
	workerv1.UnimplementedWorkerServiceServer
	workerID string
	types    []*task.Definition
	run      Run
	slots    chan struct{}
	logger   *slog.Logger
}

func newService(options Options) *service {
	types := slices.SortedFunc(slices.Values(options.Types), func(a, b *task.Definition) int { return cmp.Compare(a.Type, b.Type) })
	return &service{workerID: options.WorkerID, types: types, run: options.Run, slots: make(chan struct{}, options.Slots), logger: options.Logger}
}

// Describe says what the catalogue says of the types.
func (s *service) Describe(context.Context, *workerv1.DescribeRequest) (*workerv1.DescribeResponse, error) {
	response := &workerv1.DescribeResponse{WorkerId: s.workerID}
	for _, definition := range s.types {
		registered := catalogue.Registration(definition, s.workerID, "", time.Time{})
		response.Types = append(response.Types, &workerv1.TaskType{
			Name: registered.Type, Version: registered.Version, Runtime: registered.Runtime,
			PayloadSchema: registered.PayloadSchema, ResultSchema: registered.ResultSchema,
			Defaults: &workerv1.TaskDefaults{
				Priority: registered.Priority, TimeoutMs: registered.TimeoutMs, MaxAttempts: registered.MaxAttempts,
				BackoffBaseMs: registered.BackoffBaseMs, BackoffFactor: registered.BackoffFactor, BackoffCapMs: registered.BackoffCapMs,
				NotRetryable: registered.NotRetryable,
			},
		})
	}
	return response, nil
}

// Validate holds a payload to the published schema.
func (s *service) Validate(_ context.Context, request *workerv1.ValidateRequest) (*workerv1.ValidateResponse, error) {
	definition, err := s.find(request.Type, request.Payload)
	if err != nil {
		return nil, err
	}
	return &workerv1.ValidateResponse{Errors: faults(definition.Check([]byte(request.Payload)))}, nil
}

// find gives a type; the payload must be JSON.
func (s *service) find(name, payload string) (*task.Definition, error) {
	if name == "" {
		return nil, status.Error(codes.InvalidArgument, "The request names no type")
	}
	at := slices.IndexFunc(s.types, func(definition *task.Definition) bool { return definition.Type == name })
	if at < 0 {
		names := make([]string, len(s.types))
		for i, definition := range s.types {
			names[i] = definition.Type
		}
		return nil, status.Errorf(codes.Unimplemented, "This worker does not run %q; it runs %s", name, strings.Join(names, ", "))
	}
	if !json.Valid([]byte(payload)) {
		return nil, status.Error(codes.InvalidArgument, "The payload is not JSON")
	}
	return s.types[at], nil
}
