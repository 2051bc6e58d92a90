// Compare prints what img_compress costs beside other programs on the same images, and what they make of them. Programs that are not
// installed (cwebp, cjpeg, vips) are left out; they start for each image. img_compress starts once, as a worker does, and makes each image
// twice: the first time it compiles its WebAssembly. The memory is the most that a program had at once.
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
	"strings"
	"syscall"
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
	err := error(nil)
	if format := os.Getenv("COMPARE_COMPRESSES"); format != "" {
		err = compress(os.Args[1], os.Args[2], format)
	} else if folder := os.Getenv("COMPARE_MAKES"); folder != "" {
		err = makeAll(folder)
	} else {
		err = run(os.Args[1:])
	}
	if err != nil {
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
	fmt.Fprintln(table, "image\tbytes\tto\tby\tms\tCPU ms\tMB\tbytes\tssim\t")
	for _, file := range files {
		for _, format := range []string{"webp", "jpeg"} {
			if err := compare(table, folder, file, format); err != nil {
				return err
			}
		}
	}
	return table.Flush()
}

// A program makes an image of a file, and may say how alike it is.
type program struct {
	name    string
	command func(input, output string) *exec.Cmd
}

func programsFor(format string) []program {
	all := []program{{"img_compress", func(input, output string) *exec.Cmd {
		command := exec.Command(os.Args[0], input, output)
		command.Env = append(os.Environ(), "COMPARE_COMPRESSES="+format)
		return command
	}}}
	for _, other := range programs[format] {
		if _, err := exec.LookPath(other.name); err == nil {
			all = append(all, program{other.name, func(input, output string) *exec.Cmd {
				return exec.Command("sh", "-c", other.command, other.name, input, output, strconv.Itoa(quality))
			}})
		}
	}
	return all
}

func compare(table *tabwriter.Writer, folder, file, format string) error {
	before, err := os.Stat(file)
	if err != nil {
		return err
	}
	output := filepath.Join(folder, "output."+format)
	for _, one := range programsFor(format) {
		least, said, err := cheapest(func() *exec.Cmd { return one.command(file, output) })
		if err != nil {
			return fmt.Errorf("%s on %s: %w", one.name, file, err)
		}
		after, err := os.Stat(output)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t\n", filepath.Base(file), before.Size(), format, one.name,
			least.wall.Milliseconds(), least.cpu.Milliseconds(), least.memory>>20, after.Size(), said)
	}
	return nil
}

// compress is img_compress as a program. It says what the second time cost.
func compress(file, output, format string) error {
	input, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for range 2 {
		before, began := used(), time.Now()
		made, err := img_compress.Compress(context.Background(), input, img_compress.Options{Format: format, Quality: quality})
		if err != nil {
			return err
		}
		fmt.Println(time.Since(began).Nanoseconds(), (used() - before).Nanoseconds(), fmt.Sprintf("%.4f", made.SSIM))
		if err := os.WriteFile(output, made.Bytes, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func used() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// A cost of a program that ran to its end.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at its peak
}

// cheapest of some runs, each figure for itself: the machine does other things, too.
func cheapest(command func() *exec.Cmd) (least cost, said string, err error) {
	for i := range repeats {
		program := command()
		began := time.Now()
		output, err := program.Output()
		if err != nil {
			return cost{}, "", err
		}
		usage := program.ProcessState.SysUsage().(*syscall.Rusage)
		took := cost{
			time.Since(began), program.ProcessState.UserTime() + program.ProcessState.SystemTime(), usage.Maxrss << 10,
		}
		if lines := strings.Split(strings.TrimSpace(string(output)), "\n"); len(lines) == 2 {
			if _, err := fmt.Sscan(lines[1], &took.wall, &took.cpu, &said); err != nil {
				return cost{}, "", err
			}
		}
		if i == 0 {
			least = took
			continue
		}
		least = cost{min(least.wall, took.wall), min(least.cpu, took.cpu), min(least.memory, took.memory)}
	}
	return least, said, nil
}

var sizes = []image.Point{{1280, 960}, {4000, 3000}}

// made pictures, by another process: the most that this one ever held would be counted as the memory of those that it starts.
func made(folder string) (files []string, err error) {
	maker := exec.Command(os.Args[0])
	maker.Env = append(os.Environ(), "COMPARE_MAKES="+folder)
	maker.Stderr = os.Stderr
	for _, size := range sizes {
		files = append(files, fileOf(folder, size))
	}
	return files, maker.Run()
}

func fileOf(folder string, size image.Point) string {
	return filepath.Join(folder, fmt.Sprintf("%dx%d.jpg", size.X, size.Y))
}

func makeAll(folder string) error {
	for _, size := range sizes {
		out, err := os.Create(fileOf(folder, size))
		if err != nil {
			return err
		}
		if err := jpeg.Encode(out, scene(size), &jpeg.Options{Quality: 95}); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	return nil
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
