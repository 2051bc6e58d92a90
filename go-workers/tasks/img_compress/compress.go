// Package img_compress is a task type that makes images smaller: other format, lower quality, fewer pixels.
package img_compress

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"

	"github.com/gen2brain/webp"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"golang.org/x/image/draw"
	xwebp "golang.org/x/image/webp"
)

const (
	// maxPixels that are decoded.
	maxPixels      = 50_000_000
	defaultQuality = 80
)

// Options say what to make of an image.
type Options struct {
	// Format is jpeg, png or webp; that of the input where it is empty.
	Format string
	// Quality from 1 to 100; 80 where it is 0. PNG loses nothing, whatever it is.
	Quality int
	// Width and Height are the box that the image shall fit into, in its proportions; 0: any. It is never enlarged.
	Width, Height int
}

// A Compressed image, and what was done.
type Compressed struct {
	Bytes       []byte
	ContentType string
	// From and To describe input and output.
	From, To Description
	Quality  int
	// SSIM is how alike the output is to the input at the same size, from 0 to 1 (the same).
	SSIM float64
}

// A Description of an image file.
type Description struct {
	// Format is jpeg, png or webp.
	Format string `json:"format"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	// Size in bytes.
	Size int `json:"size"`
}

// Ratio of the output's size to the input's.
func (c *Compressed) Ratio() float64 { return float64(c.To.Size) / float64(c.From.Size) }

// inWork are the pixels of this process.
var inWork = newAdmission(pixelsAtOnce)

// Compress decodes, shrinks and encodes. Its errors are [*task.Error]: UNSUPPORTED_MEDIA, IMAGE_TOO_LARGE (told from the header, before
// anything is decoded), IMAGE_INVALID.
func Compress(ctx context.Context, input []byte, options Options) (*Compressed, error) {
	format := formatOf(input)
	if format == "" {
		return nil, &task.Error{Code: "UNSUPPORTED_MEDIA", Message: "The file is no JPEG, PNG or WebP image", Final: true}
	}
	config, err := decodeConfig(format, input)
	if err != nil {
		return nil, invalid(format, err)
	}
	if pixels := int64(config.Width) * int64(config.Height); pixels > maxPixels {
		return nil, &task.Error{
			Code: "IMAGE_TOO_LARGE", Message: fmt.Sprintf("The image has %d × %d pixels; at most %d are decoded", config.Width, config.Height, maxPixels),
			Final: true, Details: map[string]any{"width": config.Width, "height": config.Height, "maxPixels": maxPixels},
		}
	}
	leave, err := inWork.enter(ctx, int64(config.Width)*int64(config.Height))
	if err != nil {
		return nil, err
	}
	defer leave()
	decoded, err := decode(format, input)
	if err != nil {
		return nil, invalid(format, err)
	}
	upright := oriented(decoded, orientationOf(format, input))
	out := &Compressed{From: Description{format, upright.Bounds().Dx(), upright.Bounds().Dy(), len(input)}, Quality: options.Quality}
	if out.Quality == 0 {
		out.Quality = defaultQuality
	}
	if out.To.Format = options.Format; out.To.Format == "" {
		out.To.Format = format
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	shrunk := shrink(upright, options.Width, options.Height)
	if out.To.Format == "jpeg" {
		shrunk = onWhite(shrunk)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if out.Bytes, err = encode(out.To.Format, shrunk, out.Quality); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", out.To.Format, err)
	}
	out.ContentType = "image/" + out.To.Format
	out.To.Width, out.To.Height, out.To.Size = shrunk.Bounds().Dx(), shrunk.Bounds().Dy(), len(out.Bytes)
	again, err := decode(out.To.Format, out.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the %s that was made: %w", out.To.Format, err)
	}
	out.SSIM = ssim(shrunk, again)
	return out, nil
}

func invalid(format string, err error) error {
	return &task.Error{Code: "IMAGE_INVALID", Message: fmt.Sprintf("The %s image cannot be read: %v", format, err), Final: true, Err: err}
}

// formatOf tells by the first bytes, whatever the server says.
func formatOf(input []byte) string {
	switch {
	case bytes.HasPrefix(input, []byte("\xff\xd8\xff")):
		return "jpeg"
	case bytes.HasPrefix(input, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case len(input) >= 12 && string(input[:4]) == "RIFF" && string(input[8:12]) == "WEBP":
		return "webp"
	}
	return ""
}

func decodeConfig(format string, input []byte) (image.Config, error) {
	switch format {
	case "jpeg":
		return jpeg.DecodeConfig(bytes.NewReader(input))
	case "png":
		return png.DecodeConfig(bytes.NewReader(input))
	}
	return xwebp.DecodeConfig(bytes.NewReader(input))
}

func decode(format string, input []byte) (image.Image, error) {
	switch format {
	case "jpeg":
		return jpeg.Decode(bytes.NewReader(input))
	case "png":
		return png.Decode(bytes.NewReader(input))
	}
	return xwebp.Decode(bytes.NewReader(input))
}

func encode(format string, picture image.Image, quality int) ([]byte, error) {
	var out bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality})
	case "png":
		err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, picture)
	case "webp":
		err = webp.Encode(&out, picture, webp.Options{Quality: quality, Method: webp.DefaultMethod})
	default:
		err = fmt.Errorf("%q is no format that is written", format)
	}
	return out.Bytes(), err
}

// shrink fits a picture into a box, in its proportions.
func shrink(picture image.Image, width, height int) image.Image {
	bounds := picture.Bounds()
	scale := 1.0
	if width > 0 {
		scale = min(scale, float64(width)/float64(bounds.Dx()))
	}
	if height > 0 {
		scale = min(scale, float64(height)/float64(bounds.Dy()))
	}
	if scale == 1 {
		return picture
	}
	side := func(pixels int) int { return max(1, int(math.Round(float64(pixels)*scale))) }
	smaller := image.NewNRGBA(image.Rect(0, 0, side(bounds.Dx()), side(bounds.Dy())))
	draw.CatmullRom.Scale(smaller, smaller.Bounds(), picture, bounds, draw.Src, nil)
	return smaller
}

// onWhite puts a picture with transparency on white: JPEG has none, and black is what would remain.
func onWhite(picture image.Image) image.Image {
	if opaque, ok := picture.(interface{ Opaque() bool }); ok && opaque.Opaque() {
		return picture
	}
	filled := image.NewRGBA(picture.Bounds())
	draw.Draw(filled, filled.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(filled, filled.Bounds(), picture, picture.Bounds().Min, draw.Over)
	return filled
}
