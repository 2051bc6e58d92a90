package file_hash_test

import (
	"context"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task/tasktest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks/file_hash"
)

// The check value of each algorithm: the hash of the digits 1 to 9, as its own specification or its usual tool gives it.
var ofDigits = map[string]string{
	"sha256":    "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
	"sha512":    "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
	"sha1":      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
	"md5":       "25f9e794323b453885f5181f1b624d0b",
	"sha3-256":  "87cd084d190e436f147322b90e7384f6a8e0676c99d21ef519ea718e51d45f9c",
	"blake3":    "b7d65b48420d1033cb2595293263b6f72eabee20d55e699d0df1973b3c9deed1",
	"blake2b":   "f5ab8bafa6f2f72b431188ac38ae2de7bb618fb3d38b6cbf639defcdd5e10a86b22fccff571da37e42b23b80b657ee4d936478f582280a87d6dbb1da73f5c47d",
	"crc32":     "cbf43926",
	"crc32c":    "e3069283",
	"crc64nvme": "ae8b14860a799888",
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func run(t *testing.T, ctx context.Context, payload any, options tasktest.Options) (file_hash.Result, error) {
	t.Helper()
	options.AllowHosts = "127.0.0.1"
	result, err := tasktest.Run(t, ctx, file_hash.Task, payload, options)
	if err != nil {
		return file_hash.Result{}, err
	}
	return result.(file_hash.Result), nil
}

func codeOf(err error) string {
	var failure *task.Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

const someRef = "2026-12-03/00000000-0000-4000-8000-000000000001/0198c5a1-7c2e-7d3f-9b1a-2f6c8e4d5a70"

func TestSchema(t *testing.T) {
	tasktest.HoldSchema(t, file_hash.Task, []string{
		`{"url":"https://example.org"}`, `{"url":"HTTP://example.org:8080/a?b#c","algorithms":["blake3","md5"]}`,
		`{"url":"http://127.0.0.1/","algorithms":["crc64nvme"]}`, `{"blob":"` + someRef + `"}`,
	}, []string{
		`{}`, `{"url":"http://a","blob":"` + someRef + `"}`, `{"blob":"somewhere"}`, `{"blob":"` + someRef + `/.."}`, `{"url":""}`, `{"url":"example.org"}`, `{"url":"ftp://example.org/"}`, `{"url":"http://"}`, `{"url":"http:///path"}`,
		`{"url":" http://example.org/"}`, `{"url":"http://exa mple.org/"}`, `{"url":7}`, `{"url":"http://a","algorithms":[]}`,
		`{"url":"http://a","algorithms":["sha257"]}`, `{"url":"http://a","algorithms":["md5","md5"]}`, `{"url":"http://a","algorithms":null}`,
		`{"url":"http://a","more":1}`, `{"URL":"http://a"}`, `[]`, `{"url":"http://a/` + strings.Repeat("x", 2048) + `"}`,
	})
}

func TestHashes(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "123456789")
	})
	result, err := run(t, t.Context(), map[string]any{"url": url, "algorithms": slices.Sorted(maps.Keys(ofDigits))}, tasktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range ofDigits {
		if result.Hashes[name] != want {
			t.Errorf("%s is %s, should be %s", name, result.Hashes[name], want)
		}
	}
	if result.Size != 9 || *result.ContentType != "text/plain" || *result.URL != url || result.Blob != nil {
		t.Errorf("the result is %+v", result)
	}
	result, err = run(t, t.Context(), map[string]any{"url": url}, tasktest.Options{})
	if err != nil || len(result.Hashes) != 1 || result.Hashes["sha256"] != ofDigits["sha256"] {
		t.Errorf("by default: %v, %v", result.Hashes, err)
	}
	if preview := file_hash.Task.Preview(result); preview != "sha256 "+ofDigits["sha256"] {
		t.Errorf("the preview is %q", preview)
	}
}

func TestALargeFileInLittleMemory(t *testing.T) {
	const size = 256 << 20
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "268435456")
		_, _ = io.CopyN(w, zeroes{}, size)
	})
	var largest uint64
	var last float64
	result, err := run(t, t.Context(), map[string]any{"url": url, "algorithms": []string{"crc32c", "blake3"}}, tasktest.Options{
		Progress: func(fraction float64, _ string) {
			if fraction < last || fraction > 1 {
				t.Errorf("progress went from %v to %v", last, fraction)
			}
			if fraction-last > 0.1 {
				var memory runtime.MemStats
				runtime.ReadMemStats(&memory)
				largest = max(largest, memory.HeapAlloc)
			}
			last = fraction
		},
	})
	direct := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	_, _ = io.CopyN(direct, zeroes{}, size)
	if want := hex.EncodeToString(direct.Sum(nil)); err != nil || result.Size != size || result.Hashes["crc32c"] != want || last != 1 {
		t.Errorf("%+v, %v, progress %v", result, err, last)
	}
	if largest > 64<<20 {
		t.Errorf("%d MB of memory for %d MB", largest>>20, size>>20)
	}
}

type zeroes struct{}

func (zeroes) Read(into []byte) (int, error) { clear(into); return len(into), nil }

func TestFilesThatVanish(t *testing.T) {
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		_, _ = io.WriteString(w, "only this")
	})
	if _, err := run(t, t.Context(), map[string]any{"url": cut}, tasktest.Options{}); codeOf(err) != "CONNECT_FAILED" {
		t.Errorf("cut off: %v", err)
	}
	gone := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	if _, err := run(t, t.Context(), map[string]any{"url": gone}, tasktest.Options{}); codeOf(err) != "HTTP_STATUS" {
		t.Errorf("gone: %v", err)
	}
	if _, err := run(t, t.Context(), map[string]any{"url": "http://10.0.0.1/"}, tasktest.Options{}); codeOf(err) != "ADDRESS_NOT_ALLOWED" {
		t.Errorf("a private address: %v", err)
	}
}

func TestEndsWithItsAttempt(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("over")
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		cancel(reason)
		<-r.Context().Done()
	})
	if _, err := run(t, ctx, map[string]any{"url": url}, tasktest.Options{}); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}
