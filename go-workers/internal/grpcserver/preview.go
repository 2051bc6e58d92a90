package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
	workerv1 "github.com/taskflow-hub/taskflow-hub/schemas/go/taskflow/worker/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// defaultDeadline of a call that has none.
	defaultDeadline = 5 * time.Second
	// maxDeadline, whatever a call says.
	maxDeadline = 30 * time.Second
)

type outcome struct {
	result  string
	failure *schemas.TaskError
	err     error
}

// Preview runs a handler in one of the slots. The slot is free again when the handler has ended, which for one that ignores its
// context may be long after the answer.
func (s *service) Preview(ctx context.Context, request *workerv1.PreviewRequest) (*workerv1.PreviewResponse, error) {
	definition, err := s.find(request.Type, request.Payload)
	if err != nil {
		return nil, err
	}
	if err := definition.Check([]byte(request.Payload)); err != nil {
		fault := faults(err)[0]
		return nil, status.Errorf(codes.InvalidArgument, "%s: %s", fault.Path, fault.Message)
	}
	select {
	case s.slots <- struct{}{}:
	default:
		return nil, status.Errorf(codes.ResourceExhausted, "All %d slots for previews are in use", cap(s.slots))
	}
	limit := defaultDeadline
	if _, ok := ctx.Deadline(); ok {
		limit = maxDeadline
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-s.slots }()
		done <- s.execute(ctx, definition, request)
	}()
	select {
	case ended := <-done:
		// What a handler makes of the end of its context is no outcome of the task.
		if ended.failure == nil || ctx.Err() == nil || ended.err != nil {
			return response(ended)
		}
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, status.Error(codes.DeadlineExceeded, "The handler had not ended at the deadline")
	}
	return nil, status.Error(codes.Canceled, "The caller went away")
}

func (s *service) execute(ctx context.Context, definition *task.Definition, request *workerv1.PreviewRequest) (ended outcome) {
	defer recovered(s.logger, definition.Type, &ended.err)
	ended.result, ended.failure = s.run(ctx, definition, []byte(request.Payload), request.UserId)
	return ended
}

func response(ended outcome) (*workerv1.PreviewResponse, error) {
	if ended.err != nil {
		return nil, ended.err
	}
	if ended.failure == nil && len(ended.result) > maxResultBytes {
		ended.failure = &schemas.TaskError{
			Code:    "RESULT_TOO_LARGE",
			Message: fmt.Sprintf("The result has %d bytes; a preview gives %d at most", len(ended.result), maxResultBytes),
		}
	}
	if failure := ended.failure; failure != nil {
		return &workerv1.PreviewResponse{Outcome: &workerv1.PreviewResponse_Failure{Failure: &workerv1.TaskFailure{
			Code: failure.Code, Message: failure.Message, Retryable: failure.Retryable, Details: failure.Details,
		}}}, nil
	}
	return &workerv1.PreviewResponse{Outcome: &workerv1.PreviewResponse_Result{Result: ended.result}}, nil
}
