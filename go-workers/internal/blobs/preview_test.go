package blobs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
)

func TestAPreviewMeasuresWhatItStoresAndAsksNoStore(t *testing.T) {
	// Nobody listens there: whoever asks fails.
	config := blobs.Config{URL: "http://127.0.0.1:1", Region: "us-east-1", Bucket: "none", PathStyle: true, MaxBytes: 12 << 20, KeepDays: 7}
	owned := blobs.New(config).Preview(ann)
	content := bytes.Repeat([]byte("0123456789"), 1_100_000) // in three parts
	sum := sha256.Sum256(content)
	stored, err := owned.Store(t.Context(), bytes.NewReader(content), "image/png")
	if err != nil {
		t.Fatal(err)
	}
	if stored.Size != int64(len(content)) || stored.SHA256 != hex.EncodeToString(sum[:]) || stored.ContentType != "image/png" ||
		!strings.Contains(stored.Ref, ann) || stored.ExpiresAt.IsZero() {
		t.Errorf("it measures %+v", stored)
	}
	if _, err := owned.Store(t.Context(), bytes.NewReader(make([]byte, 12<<20+1)), "image/png"); codeOf(err) != "RESULT_TOO_LARGE" {
		t.Errorf("more than is kept: %v", err)
	}
	broken := errors.New("broken")
	if _, err := owned.Store(t.Context(), iotest.ErrReader(broken), "image/png"); !errors.Is(err, broken) {
		t.Errorf("a source that breaks: %v", err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := owned.Store(stopped, bytes.NewReader(content), "image/png"); !errors.Is(err, context.Canceled) {
		t.Errorf("one that is told to stop: %v", err)
	}
}
