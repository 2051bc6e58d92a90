package img_compress

import (
	"bytes"
	"image"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/blobs/blobstest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task/tasktest"
)

// grainy gives a picture the grain of a photograph, which no format without loss makes small.
func grainy(picture *image.NRGBA) *image.NRGBA {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		if i%4 != 3 {
			picture.Pix[i] = picture.Pix[i]&^7 | uint8(random.UintN(8))
		}
	}
	return picture
}

func TestIntegrationAnUploadBecomesASmallerImage(t *testing.T) {
	store := blobs.New(blobstest.Config(t))
	input := encoded(t, "png", grainy(scene(800, 600)))
	uploaded, err := store.Put(t.Context(), bytes.NewReader(input), tasktest.UserID, "image/png")
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []map[string]any{
		{"blob": uploaded.Ref, "format": "webp", "width": 400},
		{"url": serve(t, map[string][]byte{"/": input}) + "/", "format": "jpeg", "quality": 60, "width": 400},
	} {
		made, err := tasktest.Run(t, t.Context(), Task, payload, tasktest.Options{Blobs: store, AllowHosts: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		result := made.(Result)
		format := payload["format"].(string)
		open, err := store.Open(t.Context(), result.StoredFile().Ref, tasktest.UserID)
		if err != nil {
			t.Fatal(err)
		}
		output, err := io.ReadAll(open.Body)
		_ = open.Body.Close()
		if err != nil || open.ContentType != "image/"+format || len(output) != result.To.Size || int64(len(output)) != result.StoredFile().Size {
			t.Errorf("the blob is %+v, %v; the result %+v", open, err, result)
		}
		picture, err := decode(format, output)
		if err != nil || picture.Bounds().Size() != image.Pt(400, 300) {
			t.Errorf("the image is %v, %v", picture.Bounds(), err)
		}
		if len(output) >= len(input) || result.Ratio >= 1 || result.Ratio <= 0 || result.SSIM < 0.9 || result.From != (Description{"png", 800, 600, len(input)}) {
			t.Errorf("the result is %+v", result)
		}
	}
}

func TestIntegrationAnUploadThatHasGone(t *testing.T) {
	store := blobs.New(blobstest.Config(t))
	_, err := tasktest.Run(t, t.Context(), Task, map[string]any{"blob": someRef}, tasktest.Options{Blobs: store})
	if codeOf(err) != "BLOB_NOT_FOUND" {
		t.Errorf("got %v", err)
	}
}
