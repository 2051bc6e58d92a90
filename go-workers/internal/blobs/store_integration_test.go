package blobs_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs/blobstest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/taskerror"
)

const (
	ann = "11111111-1111-4111-8111-111111111111"
	bob = "22222222-2222-4222-8222-222222222222"
)

func codeOf(err error) string {
	var failure *taskerror.Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

// held is the number of objects of a user, finished or not.
func held(t *testing.T, config blobs.Config, userID string) int {
	t.Helper()
	client := s3.New(s3.Options{
		BaseEndpoint: &config.URL, Region: config.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(config.AccessKey, config.SecretKey, ""),
	})
	objects, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &config.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	uploads, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &config.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, object := range objects.Contents {
		if strings.Contains(*object.Key, userID) {
			count++
		}
	}
	for _, upload := range uploads.Uploads {
		if strings.Contains(*upload.Key, userID) {
			count++
		}
	}
	return count
}

func TestIntegrationPutAndOpen(t *testing.T) {
	store := blobs.New(blobstest.Config(t))
	for _, size := range []int{0, 1, 70_000, 5 << 20, 12<<20 + 3} {
		content := make([]byte, size)
		_, _ = rand.Read(content)
		stored, err := store.Put(t.Context(), iotest.HalfReader(bytes.NewReader(content)), ann, "image/webp")
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		sum := sha256.Sum256(content)
		if stored.Size != int64(size) || stored.SHA256 != hex.EncodeToString(sum[:]) || time.Until(stored.ExpiresAt) < 7*24*time.Hour-time.Minute {
			t.Errorf("%d bytes: %+v", size, stored)
		}
		open, err := store.Open(t.Context(), stored.Ref, ann)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(open.Body)
		if err != nil || !bytes.Equal(got, content) || open.Size != int64(size) || open.ContentType != "image/webp" {
			t.Errorf("%d bytes: got %d, %s, %v", open.Size, len(got), open.ContentType, err)
		}
		_ = open.Body.Close()
	}
}

func TestIntegrationNotFound(t *testing.T) {
	store := blobs.New(blobstest.Config(t))
	stored, err := store.Put(t.Context(), strings.NewReader("ours"), ann, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	day := stored.Ref[:10]
	for name, ref := range map[string]string{
		"another user's":         stored.Ref,
		"in another user's name": strings.Replace(stored.Ref, ann, bob, 1),
		"no reference":           "../" + stored.Ref,
		"expired":                strings.Replace(stored.Ref, day, "2020-01-01", 1),
	} {
		if _, err := store.Open(t.Context(), ref, bob); codeOf(err) != "BLOB_NOT_FOUND" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIntegrationNothingIsLeftOfAFailedPut(t *testing.T) {
	config := blobstest.Config(t)
	config.MaxBytes = 11 << 20
	store := blobs.New(config)
	const nobody = "33333333-3333-4333-8333-333333333333"
	cut := errors.New("cut off")
	for _, size := range []int{1_000, 11 << 20} {
		content := bytes.NewReader(make([]byte, size))
		if _, err := store.Put(t.Context(), io.MultiReader(content, iotest.ErrReader(cut)), nobody, "text/plain"); !errors.Is(err, cut) {
			t.Errorf("%d bytes that break off: %v", size, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		given := io.MultiReader(bytes.NewReader(make([]byte, size)), readerFunc(func([]byte) (int, error) {
			cancel(cut)
			return 0, io.EOF
		}))
		if _, err := store.Put(ctx, given, nobody, "text/plain"); !errors.Is(err, cut) {
			t.Errorf("%d bytes that are given up: %v", size, err)
		}
	}
	if _, err := store.Put(t.Context(), bytes.NewReader(make([]byte, config.MaxBytes+1)), nobody, "text/plain"); codeOf(err) != "RESULT_TOO_LARGE" {
		t.Errorf("too many bytes: %v", err)
	}
	if left := held(t, config, nobody); left != 0 {
		t.Errorf("%d blobs are left", left)
	}
}

type readerFunc func([]byte) (int, error)

func (read readerFunc) Read(into []byte) (int, error) { return read(into) }

// A way to the store that can be cut.
func way(t *testing.T, config blobs.Config) (address string, away *atomic.Bool) {
	target, err := url.Parse(config.URL)
	if err != nil {
		t.Fatal(err)
	}
	away = new(atomic.Bool)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Director = nil
	proxy.Rewrite = func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler) // closes the connection without an answer
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String(), away
}

func TestIntegrationAStoreThatComesBackIsWaitedFor(t *testing.T) {
	config := blobstest.Config(t)
	var away *atomic.Bool
	config.URL, away = way(t, config)
	store := blobs.New(config)
	away.Store(true)
	time.AfterFunc(time.Second, func() { away.Store(false) })
	stored, err := store.Put(t.Context(), strings.NewReader("ours"), ann, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	away.Store(true)
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, &taskerror.Error{Code: "TIMEOUT"})
	defer cancel()
	if _, err := store.Open(ctx, stored.Ref, ann); codeOf(err) != "TIMEOUT" {
		t.Errorf("a store that does not come back: %v", err)
	}
}

func TestIntegrationAWrongKeyIsNoAnswer(t *testing.T) {
	config := blobstest.Config(t)
	config.SecretKey = "guess"
	if _, err := blobs.New(config).Put(t.Context(), strings.NewReader("ours"), ann, "text/plain"); codeOf(err) != "STORE_UNAVAILABLE" {
		t.Errorf("got %v", err)
	}
}
