package grpcserver

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

func TestHealthFollowsReadiness(t *testing.T) {
	var failing atomic.Bool
	failing.Store(true)
	f := newFixture(t, func(options *Options) {
		options.Ready = func() error {
			if failing.Load() {
				return errors.New("starting")
			}
			return nil
		}
	})
	client := grpc_health_v1.NewHealthClient(f.connection)
	services := []string{"", "taskflow.worker.v1.WorkerService"}
	want := func(want grpc_health_v1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		for _, service := range services {
			answer, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
			if err != nil || answer.Status != want {
				t.Errorf("%q is %v, %v", service, answer.GetStatus(), err)
			}
		}
	}
	want(grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	watch, err := client.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: services[1]})
	if err != nil {
		t.Fatal(err)
	}
	next := func() grpc_health_v1.HealthCheckResponse_ServingStatus {
		answer, err := watch.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return answer.Status
	}
	if status := next(); status != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("a watcher first sees %v", status)
	}
	failing.Store(false)
	if status := next(); status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("a watcher then sees %v", status)
	}
	want(grpc_health_v1.HealthCheckResponse_SERVING)
	_, err = client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "nothing"})
	f.want(err, codes.NotFound, "")
}

func TestReflectionGivesTheContract(t *testing.T) {
	f := newFixture(t)
	stream, err := grpc_reflection_v1.NewServerReflectionClient(f.connection).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request *grpc_reflection_v1.ServerReflectionRequest) *grpc_reflection_v1.ServerReflectionResponse {
		t.Helper()
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		response, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	listed := ask(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}})
	var names []string
	for _, service := range listed.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	if !slices.Contains(names, "taskflow.worker.v1.WorkerService") || !slices.Contains(names, "grpc.health.v1.Health") {
		t.Errorf("the services are %q", names)
	}
	found := ask(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{
		FileContainingSymbol: "taskflow.worker.v1.WorkerService",
	}})
	file := new(descriptorpb.FileDescriptorProto)
	if err := proto.Unmarshal(found.GetFileDescriptorResponse().GetFileDescriptorProto()[0], file); err != nil || len(file.Service[0].Method) != 3 {
		t.Errorf("%v, %v", file, err)
	}
}
