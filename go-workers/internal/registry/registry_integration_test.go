package registry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/registry"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

func TestIntegrationPublishesOnceAndLearns(t *testing.T) {
	url := kafkatest.RegistryURL(t)
	first, err := registry.Connect(t.Context(), url, kafkatest.Logger())
	if err != nil {
		t.Fatal(err)
	}
	second, err := registry.Connect(t.Context(), url+"/", kafkatest.Logger())
	if err != nil {
		t.Fatal(err)
	}
	written := &schemas.TaskCancelRequested{TaskID: "01999999-0000-7000-8000-000000000001", Generation: 3}
	value, err := first.Codec.Encode(written)
	if err != nil {
		t.Fatal(err)
	}
	read, err := second.Codec.Decode(value)
	if err != nil || *read.(*schemas.TaskCancelRequested) != *written {
		t.Errorf("read %+v, %v", read, err)
	}

	id, _ := schemas.SchemaID(value)
	other, _ := schemas.NewCodec(nil)
	second.Codec = other
	if known, err := second.Learn(t.Context(), id); !known || err != nil {
		t.Fatalf("Learn(%d) = %v, %v", id, known, err)
	}
	if read, err := other.Decode(value); err != nil || read.(*schemas.TaskCancelRequested).Generation != 3 {
		t.Errorf("read %+v, %v", read, err)
	}
	for range 2 {
		if known, err := second.Learn(t.Context(), 99_999_999); known || err != nil {
			t.Errorf("Learn of an id that nobody has: %v, %v", known, err)
		}
	}
}

func TestConnectSaysThatTheRegistryIsAway(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := registry.Connect(ctx, server.URL, kafkatest.Logger())
	var unavailable *registry.UnavailableError
	if !errors.As(err, &unavailable) {
		t.Errorf("Connect gives %v", err)
	}
}

func TestConnectSaysWhatTheRegistryRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"error_code":409,"message":"incompatible"}`))
	}))
	defer server.Close()
	_, err := registry.Connect(t.Context(), server.URL, kafkatest.Logger())
	var unavailable *registry.UnavailableError
	if err == nil || errors.As(err, &unavailable) {
		t.Errorf("Connect gives %v", err)
	}
}
