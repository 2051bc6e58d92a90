// Compare prints how long img_compress takes beside other programs on the same images, and what they make of them. Programs that are not
// installed (cwebp, cjpeg, vips) are left out.
//
//	go run ./tasks/img_compress/compare [image file]…
//
// Without files it makes pictures with slopes, edges and the grain of a photograph.
package main

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks/img_compress"
)

const (
	quality = 80
	repeats = 3
)

// Programs that make an image of a format, and the shell command of each: $1 is the input, $2 the output, $3 the quality.
var programs = map[string][]struct{ name, command string }{
	"webp": {{"cwebp", `cwebp -quiet -q $3 "$1" -o "$2"`}, {"vips", `vips copy "$1" "$2[Q=$3]"`}},
	"jpeg": {{"cjpeg", `djpeg "$1" | cjpeg -quality $3 -outfile "$2"`}, {"vips", `vips copy "$1" "$2[Q=$3]"`}},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(files []string) error {
	folder, err := os.MkdirTemp("", "compare-images-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if len(files) == 0 {
		if files, err = made(folder); err != nil {
			return err
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "image\tbytes\tto\tby\tms\tbytes\tssim\t")
	for _, file := range files {
		input, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, format := range []string{"webp", "jpeg"} {
			if err := compare(table, folder, file, input, format); err != nil {
				return err
			}
		}
	}
	return table.Flush()
}

func compare(table *tabwriter.Writer, folder, file string, input []byte, format string) error {
	var ours *img_compress.Compressed
	took, err := fastest(func() (err error) {
		ours, err = img_compress.Compress(context.Background(), input, img_compress.Options{Format: format, Quality: quality})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	row := func(by string, took time.Duration, size int, ssim string) {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%d\t%d\t%s\t\n", filepath.Base(file), len(input), format, by, took.Milliseconds(), size, ssim)
	}
	row("img_compress", took, ours.To.Size, fmt.Sprintf("%.4f", ours.SSIM))
	for _, other := range programs[format] {
		if _, err := exec.LookPath(other.name); err != nil {
			continue
		}
		output := filepath.Join(folder, "output."+format)
		took, err := fastest(func() error {
			return exec.Command("sh", "-c", other.command, other.name, file, output, strconv.Itoa(quality)).Run()
		})
		if err != nil {
			return fmt.Errorf("%s on %s: %w", other.name, file, err)
		}
		made, err := os.Stat(output)
		if err != nil {
			return err
		}
		row(other.name, took, int(made.Size()), "")
	}
	return nil
}

// fastest of some times: the machine does other things, too.
func fastest(do func() error) (time.Duration, error) {
	least := time.Duration(1<<63 - 1)
	for range repeats {
		began := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		least = min(least, time.Since(began))
	}
	return least, nil
}

func made(folder string) (files []string, err error) {
	for _, size := range []image.Point{{1280, 960}, {4000, 3000}} {
		file := filepath.Join(folder, fmt.Sprintf("%dx%d.jpg", size.X, size.Y))
		out, err := os.Create(file)
		if err != nil {
			return nil, err
		}
		if err := jpeg.Encode(out, scene(size), &jpeg.Options{Quality: 95}); err != nil {
			return nil, err
		}
		if err := out.Close(); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

func scene(size image.Point) image.Image {
	random := rand.New(rand.NewPCG(1, 2))
	picture := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			grain := uint8(random.UintN(8))
			at := picture.PixOffset(x, y)
			picture.Pix[at] = uint8(x*240/size.X) + grain
			picture.Pix[at+1] = uint8(y*240/size.Y) + grain
			picture.Pix[at+2] = uint8((x/32*40)^(y/32*60))&0xf8 | grain
			picture.Pix[at+3] = 255
		}
	}
	return picture
}
