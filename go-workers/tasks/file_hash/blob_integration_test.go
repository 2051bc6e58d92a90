package file_hash_test

import (
	"encoding/hex"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs/blobstest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task/tasktest"
)

func TestIntegrationAnUpload(t *testing.T) {
	store := blobs.New(blobstest.Config(t))
	uploaded, err := store.Put(t.Context(), strings.NewReader("123456789"), tasktest.UserID, "text/x-digits")
	if err != nil {
		t.Fatal(err)
	}
	result, err := run(t, t.Context(), map[string]any{"blob": uploaded.Ref}, tasktest.Options{Blobs: store})
	if err != nil {
		t.Fatal(err)
	}
	if result.Hashes["sha256"] != ofDigits["sha256"] || result.Size != 9 || *result.Blob != uploaded.Ref || result.URL != nil || *result.ContentType != "text/x-digits" {
		t.Errorf("the result is %+v", result)
	}
}

func TestIntegrationALargeUploadInLittleMemory(t *testing.T) {
	const size = 128 << 20
	store := blobs.New(blobstest.Config(t))
	uploaded, err := store.Put(t.Context(), io.LimitReader(zeroes{}, size), tasktest.UserID, "application/octet-stream")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, memory runtime.MemStats
	runtime.ReadMemStats(&before)
	var largest uint64
	last := 0.0
	result, err := run(t, t.Context(), map[string]any{"blob": uploaded.Ref, "algorithms": []string{"crc32c"}}, tasktest.Options{
		Blobs: store,
		Progress: func(fraction float64, _ string) {
			if fraction-last > 0.1 {
				runtime.ReadMemStats(&memory)
				largest, last = max(largest, memory.HeapAlloc), fraction
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	direct := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	_, _ = io.CopyN(direct, zeroes{}, size)
	if result.Size != size || result.Hashes["crc32c"] != hex.EncodeToString(direct.Sum(nil)) {
		t.Errorf("the result is %+v", result)
	}
	if grown := int64(largest) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

func TestIntegrationAnUploadThatHasGone(t *testing.T) {
	store := blobs.New(blobstest.Config(t))
	ref := strings.Replace(someRef, "2026", "2126", 1)
	if _, err := run(t, t.Context(), map[string]any{"blob": ref}, tasktest.Options{Blobs: store}); codeOf(err) != "BLOB_NOT_FOUND" {
		t.Errorf("got %v", err)
	}
}
