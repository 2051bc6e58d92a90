package img_compress

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
)

// scene is a picture with slopes and edges, its top left quarter red.
func scene(width, height int) *image.NRGBA {
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{uint8(x * 255 / width), uint8(y * 255 / height), uint8((x / 16 * 40) ^ (y / 16 * 60)), 255}
			if x < width/2 && y < height/2 {
				c = color.NRGBA{220, 20, 20, 255}
			}
			picture.SetNRGBA(x, y, c)
		}
	}
	return picture
}

func encoded(t *testing.T, format string, picture image.Image) []byte {
	t.Helper()
	out, err := encode(format, picture, 95)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compress(t *testing.T, input []byte, options Options) *Compressed {
	t.Helper()
	out, err := Compress(t.Context(), input, options)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func codeOf(err error) string {
	var failure *task.Error
	if errors.As(err, &failure) && failure.Final {
		return failure.Code
	}
	return ""
}

func TestEachFormatBecomesEachOther(t *testing.T) {
	picture := scene(320, 200)
	for _, from := range []string{"jpeg", "png", "webp"} {
		input := encoded(t, from, picture)
		for _, to := range []string{"jpeg", "png", "webp"} {
			out := compress(t, input, Options{Format: to})
			if formatOf(out.Bytes) != to || out.ContentType != "image/"+to || out.SSIM < 0.9 || out.SSIM > 1.000001 {
				t.Errorf("%s to %s: %+v, similarity %v", from, to, out.To, out.SSIM)
			}
			if out.From != (Description{from, 320, 200, len(input)}) || out.To != (Description{to, 320, 200, len(out.Bytes)}) || out.Quality != 80 {
				t.Errorf("%s to %s: from %+v to %+v", from, to, out.From, out.To)
			}
		}
	}
}

func TestQuality(t *testing.T) {
	input := encoded(t, "png", scene(640, 480))
	for _, format := range []string{"jpeg", "webp"} {
		low, high := compress(t, input, Options{Format: format, Quality: 20}), compress(t, input, Options{Format: format, Quality: 95})
		if low.To.Size >= high.To.Size || low.SSIM >= high.SSIM || low.Ratio() >= high.Ratio() {
			t.Errorf("%s: quality 20 gives %d bytes (%.3f), 95 gives %d (%.3f)", format, low.To.Size, low.SSIM, high.To.Size, high.SSIM)
		}
	}
}

func TestSizes(t *testing.T) {
	input := encoded(t, "jpeg", scene(400, 300))
	for _, test := range []struct{ width, height, wantWidth, wantHeight int }{
		{200, 0, 200, 150}, {0, 30, 40, 30}, {200, 30, 40, 30}, {4_000, 3_000, 400, 300}, {1, 1, 1, 1},
	} {
		out := compress(t, input, Options{Width: test.width, Height: test.height})
		if out.To.Width != test.wantWidth || out.To.Height != test.wantHeight || out.To.Format != "jpeg" {
			t.Errorf("into %d × %d: %+v", test.width, test.height, out.To)
		}
	}
}

func TestTransparencyBecomesWhiteInJPEG(t *testing.T) {
	picture := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	out := compress(t, encoded(t, "png", picture), Options{Format: "jpeg"})
	decoded, err := jpeg.Decode(bytes.NewReader(out.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := decoded.At(5, 5).RGBA(); r < 0xf000 || g < 0xf000 || b < 0xf000 {
		t.Errorf("what was transparent is %v", decoded.At(5, 5))
	}
	kept, err := png.Decode(bytes.NewReader(compress(t, encoded(t, "webp", picture), Options{Format: "png"}).Bytes))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, alpha := kept.At(5, 5).RGBA(); alpha != 0 {
		t.Error("transparency is lost between WebP and PNG")
	}
}

// withOrientation puts an EXIF segment into a JPEG.
func withOrientation(picture []byte, order binary.ByteOrder, mark string, orientation uint16) []byte {
	tiff := make([]byte, 8+2+12+4)
	copy(tiff, mark)
	order.PutUint16(tiff[2:], 42)
	order.PutUint32(tiff[4:], 8)
	order.PutUint16(tiff[8:], 1)
	order.PutUint16(tiff[10:], 0x0112)
	order.PutUint16(tiff[12:], 3)
	order.PutUint32(tiff[14:], 1)
	order.PutUint16(tiff[18:], orientation)
	segment := append([]byte("\xff\xe1\x00\x00Exif\x00\x00"), tiff...)
	binary.BigEndian.PutUint16(segment[2:], uint16(len(segment)-2))
	return append(append(append([]byte{}, picture[:2]...), segment...), picture[2:]...)
}

func TestOrientationIsApplied(t *testing.T) {
	plain := encoded(t, "jpeg", scene(64, 32))
	// where the red quarter (top left as stored) lies once the picture is upright
	for orientation, want := range map[uint16]struct{ right, bottom, portrait bool }{
		1: {}, 2: {right: true}, 3: {right: true, bottom: true}, 4: {bottom: true}, 5: {portrait: true},
		6: {right: true, portrait: true}, 7: {right: true, bottom: true, portrait: true}, 8: {bottom: true, portrait: true},
	} {
		input := withOrientation(plain, binary.BigEndian, "MM", orientation)
		if orientation%2 == 0 {
			input = withOrientation(plain, binary.LittleEndian, "II", orientation)
		}
		out := compress(t, input, Options{Format: "png"})
		decoded, err := png.Decode(bytes.NewReader(out.Bytes))
		if err != nil {
			t.Fatal(err)
		}
		size := decoded.Bounds().Size()
		at := image.Pt(size.X/4, size.Y/4)
		if want.right {
			at.X = size.X * 3 / 4
		}
		if want.bottom {
			at.Y = size.Y * 3 / 4
		}
		r, g, _, _ := decoded.At(at.X, at.Y).RGBA()
		if r < 0xb000 || g > 0x4000 || (size.Y > size.X) != want.portrait {
			t.Errorf("orientation %d: %v, at %v there is %v", orientation, size, at, decoded.At(at.X, at.Y))
		}
	}
}

// bomb is a PNG whose header promises more pixels than anyone decodes.
func bomb() []byte {
	header := make([]byte, 13)
	binary.BigEndian.PutUint32(header, 60_000)
	binary.BigEndian.PutUint32(header[4:], 60_000)
	header[8], header[9] = 8, 6
	chunk := append([]byte("IHDR"), header...)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

func TestRefusals(t *testing.T) {
	whole := map[string][]byte{}
	for _, format := range []string{"jpeg", "png", "webp"} {
		whole[format] = encoded(t, format, scene(64, 64))
	}
	for name, test := range map[string]struct {
		input []byte
		code  string
	}{
		"nothing":         {nil, "UNSUPPORTED_MEDIA"},
		"a text":          {[]byte("<svg/>"), "UNSUPPORTED_MEDIA"},
		"a GIF":           {[]byte("GIF89a......"), "UNSUPPORTED_MEDIA"},
		"a pixel bomb":    {bomb(), "IMAGE_TOO_LARGE"},
		"a truncated PNG": {whole["png"][:len(whole["png"])/2], "IMAGE_INVALID"},
		"a JPEG's header": {whole["jpeg"][:30], "IMAGE_INVALID"},
		"half a JPEG":     {whole["jpeg"][:len(whole["jpeg"])/2], "IMAGE_INVALID"},
		"half a WebP":     {whole["webp"][:len(whole["webp"])/2], "IMAGE_INVALID"},
		"only a mark":     {[]byte("\xff\xd8\xff"), "IMAGE_INVALID"},
	} {
		if _, err := Compress(t.Context(), test.input, Options{}); codeOf(err) != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEndsWithItsAttempt(t *testing.T) {
	reason := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, err := Compress(ctx, encoded(t, "png", scene(64, 64)), Options{}); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}

func FuzzCompress(f *testing.F) {
	f.Add(bomb())
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, input []byte) {
		if config, err := decodeConfig(formatOf(input), input); err == nil && config.Width*config.Height > 1<<20 {
			t.Skip("a large image takes seconds to decode: a fuzz run would only wait for it")
		}
		_, _ = Compress(t.Context(), input, Options{Width: 16})
	})
}
