// Package blobstest gives tests a blob store: the one of the stack that the environment names.
package blobstest

import (
	"os"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
)

// Config of the stack's store, for tests to change. Without a stack the test fails.
func Config(t testing.TB) blobs.Config {
	t.Helper()
	config := blobs.Config{
		URL: os.Getenv("TASKFLOW_S3_URL"), Region: os.Getenv("TASKFLOW_S3_REGION"), Bucket: os.Getenv("TASKFLOW_S3_BUCKET"),
		AccessKey: os.Getenv("TASKFLOW_S3_ACCESS_KEY"), SecretKey: os.Getenv("TASKFLOW_S3_SECRET_KEY"), PathStyle: true,
		MaxBytes: 1 << 30, KeepDays: 7,
	}
	if config.URL == "" {
		t.Fatal("TASKFLOW_S3_URL is not set: run this test by `make integration`")
	}
	return config
}
