package img_compress

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

//go:embed payload.schema.json
var payloadSchema string

// maxInputBytes of an image file.
const maxInputBytes = 64 << 20

// A Payload says what to make of which image: URL or Blob names it.
type Payload struct {
	URL     string `json:"url"`
	Blob    string `json:"blob"`
	Format  string `json:"format"`
	Quality int    `json:"quality"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
}

// A Result describes the image that was made, which is the result itself.
type Result struct {
	From Description `json:"from"`
	To   Description `json:"to"`
	// Ratio of the size made to the size given.
	Ratio   float64 `json:"ratio"`
	Quality int     `json:"quality"`
	// SSIM is how alike the two are at the size made, from 0 to 1 (the same).
	SSIM float64 `json:"ssim"`
	// DurationMs of decoding, shrinking, encoding and comparing.
	DurationMs int64 `json:"durationMs"`

	file *task.StoredFile
}

// StoredFile is the image.
func (r Result) StoredFile() *task.StoredFile { return r.file }

// Task holds the whole image while it works.
var Task = task.Define(task.Spec[Payload, Result]{
	Type:          "img_compress",
	Version:       1,
	PayloadSchema: payloadSchema,
	Defaults:      task.Defaults{TimeoutMs: 120_000},
	Errors:        map[string]string{"IMAGE_INVALID": "The image is truncated or broken"},
	Preview:       preview,
	Run:           run,
})

func run(ctx context.Context, job task.Job[Payload]) (Result, error) {
	input, err := read(ctx, job)
	if err != nil {
		return Result{}, err
	}
	job.Progress(0.2, "compressing")
	began := time.Now()
	want := job.Payload
	made, err := Compress(ctx, input, Options{Format: want.Format, Quality: want.Quality, Width: want.Width, Height: want.Height})
	if err != nil {
		return Result{}, err
	}
	result := Result{
		From: made.From, To: made.To, Ratio: rounded(made.Ratio()), Quality: made.Quality, SSIM: rounded(made.SSIM),
		DurationMs: time.Since(began).Milliseconds(),
	}
	job.Progress(0.9, "storing")
	if result.file, err = job.Blobs.Store(ctx, bytes.NewReader(made.Bytes), made.ContentType); err != nil {
		return Result{}, err
	}
	job.Log.Info("The image is compressed", "from", made.From, "to", made.To, "ratio", result.Ratio, "ssim", result.SSIM, "durationMs", result.DurationMs)
	return result, nil
}

// read gives the whole file that the payload names.
func read(ctx context.Context, job task.Job[Payload]) ([]byte, error) {
	source, size, err := open(ctx, job)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	if size > maxInputBytes {
		return nil, tooLarge()
	}
	var input bytes.Buffer
	input.Grow(int(max(0, size)) + bytes.MinRead)
	if _, err := input.ReadFrom(io.LimitReader(source, maxInputBytes+1)); err != nil {
		return nil, err
	}
	if input.Len() > maxInputBytes {
		return nil, tooLarge()
	}
	return input.Bytes(), nil
}

func open(ctx context.Context, job task.Job[Payload]) (source io.ReadCloser, size int64, err error) {
	if job.Payload.Blob != "" {
		blob, err := job.Blobs.Open(ctx, job.Payload.Blob)
		if err != nil {
			return nil, 0, err
		}
		return blob.Body, blob.Size, nil
	}
	response, err := job.Fetch.Get(ctx, job.Payload.URL)
	if err != nil {
		return nil, 0, err
	}
	return response.Body, response.Size, nil
}

func tooLarge() error {
	return &task.Error{Code: "BODY_TOO_LARGE", Message: fmt.Sprintf("The file has more than %d bytes, the most that is decoded", maxInputBytes), Final: true}
}

// rounded to four digits: more say nothing.
func rounded(value float64) float64 { return float64(int64(value*10_000+0.5)) / 10_000 }

func preview(result Result) string {
	return fmt.Sprintf("%s → %s (%.1f %%), ssim %.3f", result.From, result.To, result.Ratio*100, result.SSIM)
}

// String is a description in words: jpeg 4000×3000 3.1 MB.
func (d Description) String() string {
	return fmt.Sprintf("%s %d×%d %s", d.Format, d.Width, d.Height, inUnits(d.Size))
}

func inUnits(size int) string {
	switch {
	case size >= 1e6:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(size)/1e6), ".0") + " MB"
	case size >= 1e3:
		return fmt.Sprintf("%d kB", size/1e3)
	}
	return fmt.Sprintf("%d B", size)
}
