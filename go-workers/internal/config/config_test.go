package config_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/config"
)

func read(t *testing.T, environment map[string]string) (config.Config, error) {
	t.Helper()
	return config.Read(func(name string) string { return environment[name] })
}

func TestDefaults(t *testing.T) {
	c, err := read(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Brokers, []string{"127.0.0.1:29092"}) || c.EventsPartitions != 3 || c.RetentionMs != -1 || !c.TestTypes ||
		c.Grace != 10*time.Second || c.StatusAddr != "127.0.0.1:0" || c.LogLevel != slog.LevelInfo || c.SASLMechanism != "none" ||
		c.GRPCAddr != "127.0.0.1:0" || c.PreviewSlots != 4 || c.Blobs != (blobs.Config{
		URL: "http://127.0.0.1:29000", Region: "us-east-1", Bucket: "taskflow", AccessKey: "taskflow", SecretKey: "taskflow-local", PathStyle: true,
		MaxBytes: 1 << 30, KeepDays: 30,
	}) {
		t.Errorf("the defaults are %+v", c)
	}
}

func TestValues(t *testing.T) {
	c, err := read(t, map[string]string{
		"TASKFLOW_KAFKA_BROKERS": "a:1, b:2", "TASKFLOW_SLOTS": "8,noop_go=100", "TASKFLOW_TASK_TYPES": "file_hash, noop_go",
		"TASKFLOW_LOG_LEVEL": "debug", "TASKFLOW_FETCH_ALLOW": "10.0.0.0/8", "TASKFLOW_STATUS_PORT": "9103", "TASKFLOW_REGISTRY_URL": "https://r/x/",
		"TASKFLOW_GRPC_HOST": "0.0.0.0", "TASKFLOW_GRPC_PORT": "9190", "TASKFLOW_PREVIEW_SLOTS": "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Brokers) != 2 || c.SlotsOfEach != 8 || c.SlotsByType["noop_go"] != 100 || len(c.TaskTypes) != 2 || c.LogLevel != slog.LevelDebug ||
		len(c.FetchAllow) != 1 || c.StatusAddr != "127.0.0.1:9103" || c.RegistryURL != "https://r/x" ||
		c.GRPCAddr != "0.0.0.0:9190" || c.PreviewSlots != 1 {
		t.Errorf("the values are %+v", c)
	}
}

func TestAWrongValueIsNamed(t *testing.T) {
	for variable, value := range map[string]string{
		"TASKFLOW_KAFKA_BROKERS": "nowhere", "TASKFLOW_PARTITIONS": "0", "TASKFLOW_SLOTS": "many", "TASKFLOW_FETCH_ALLOW": "10.0.0.0/99",
		"TASKFLOW_KAFKA_SASL_MECHANISM": "kerberos", "TASKFLOW_TEST_TYPES": "yes", "TASKFLOW_REGISTRY_URL": "nowhere",
		"TASKFLOW_WORKER_NAME": "a b", "TASKFLOW_LEASE_MS": "1.5", "TASKFLOW_LOG_LEVEL": "loud",
		"TASKFLOW_GRPC_PORT": "65536", "TASKFLOW_PREVIEW_SLOTS": "0", "TASKFLOW_S3_URL": "s3://here", "TASKFLOW_S3_BUCKET": "A",
		"TASKFLOW_S3_PATH_STYLE": "no", "TASKFLOW_MAX_BLOB_BYTES": "0", "TASKFLOW_RESULT_BLOB_KEEP_DAYS": "0",
	} {
		if _, err := read(t, map[string]string{variable: value}); err == nil || !strings.HasPrefix(err.Error(), variable) {
			t.Errorf("%s=%s: %v", variable, value, err)
		}
	}
}

func TestTheDocumentedSettingsOfGoWorkersAlone(t *testing.T) {
	text, err := os.ReadFile("settings.json")
	if err != nil {
		t.Fatal(err)
	}
	var settings []struct{ Variable, Default, Description string }
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	unset, err := read(t, nil)
	if err != nil || len(settings) == 0 {
		t.Fatal(err)
	}
	for _, setting := range settings {
		asked := false
		c, err := config.Read(func(name string) string {
			if name == setting.Variable {
				asked = true
				return setting.Default
			}
			return ""
		})
		if err != nil || !asked || !reflect.DeepEqual(c, unset) || setting.Description == "" {
			t.Errorf("%s=%s is not the default: asked for %v, %v", setting.Variable, setting.Default, asked, err)
		}
	}
}
