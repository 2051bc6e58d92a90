package worker_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs/blobstest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// A written file, and its length as the figure that describes it.
type written struct {
	Length int `json:"length"`
	file   *task.StoredFile
}

func (w written) StoredFile() *task.StoredFile { return w.file }

// blobEnvironment leads a worker to the stack's store.
func blobEnvironment(t *testing.T) map[string]string {
	blobstest.Config(t) // says so where there is none
	environment := map[string]string{}
	for _, name := range []string{"URL", "REGION", "BUCKET", "ACCESS_KEY", "SECRET_KEY"} {
		environment["TASKFLOW_S3_"+name] = os.Getenv("TASKFLOW_S3_" + name)
	}
	return environment
}

func TestIntegrationResultsInTheBlobStore(t *testing.T) {
	f := newFixture(t, kafkatest.Brokers(t))
	store := blobs.New(blobstest.Config(t))
	uploaded, err := store.Put(t.Context(), strings.NewReader("uploaded"), f.queued("").UserID, "text/x-upload")
	if err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 70_000)
	f.work(f.define(func(ctx context.Context, job task.Job[payload]) (any, error) {
		if job.Payload.Do == "large" {
			return large, nil
		}
		var ref string
		if err := json.Unmarshal(job.Payload.Value, &ref); err != nil {
			return nil, err
		}
		open, err := job.Blobs.Open(ctx, ref)
		if err != nil {
			return nil, err
		}
		defer open.Body.Close()
		content, err := io.ReadAll(open.Body)
		if err != nil {
			return nil, err
		}
		file, err := job.Blobs.Store(ctx, strings.NewReader(strings.ToUpper(string(content))), open.ContentType)
		return written{len(content), file}, err
	}), blobEnvironment(t))

	read := func(event *schemas.TaskQueued, end schemas.Event) (schemas.TaskResult, string) {
		t.Helper()
		succeeded, ok := end.(*schemas.TaskSucceeded)
		if !ok {
			t.Fatalf("it ended with %+v", end)
		}
		result := succeeded.Result
		open, err := store.Open(t.Context(), *result.Ref, event.UserID)
		if err != nil {
			t.Fatal(err)
		}
		defer open.Body.Close()
		content, err := io.ReadAll(open.Body)
		if err != nil || open.Size != result.Size || open.ContentType != result.ContentType {
			t.Errorf("the blob is %+v, %v; the result %+v", open, err, result)
		}
		if *result.TTLMs < 30*24*time.Hour.Milliseconds()-60_000 {
			t.Errorf("it is kept for %d ms", *result.TTLMs)
		}
		return result, string(content)
	}
	upload, _ := json.Marshal(uploaded.Ref)
	foreign, _ := json.Marshal(strings.Replace(uploaded.Ref, "0001/", "0002/", 1))
	tasks := []*schemas.TaskQueued{
		f.queued(`{"do":"large"}`), f.queued(`{"do":"file","value":` + string(upload) + `}`), f.queued(`{"do":"file","value":` + string(foreign) + `}`),
	}
	f.submit(tasks...)
	result, content := read(tasks[0], f.end(tasks[0].TaskID))
	if content != `"`+large+`"` || result.Storage != "s3" || result.Value != nil || result.ContentType != "application/json" {
		t.Errorf("a large result: %+v", result)
	}
	result, content = read(tasks[1], f.end(tasks[1].TaskID))
	if content != "UPLOADED" || result.Storage != "s3" || *result.Value != `{"length":8}` || result.ContentType != "text/x-upload" {
		t.Errorf("a file: %+v", result)
	}
	if failed, ok := f.end(tasks[2].TaskID).(*schemas.TaskFailed); !ok || failed.Error.Code != "BLOB_NOT_FOUND" || failed.Error.Retryable {
		t.Errorf("another user's upload: %+v", failed)
	}
}
