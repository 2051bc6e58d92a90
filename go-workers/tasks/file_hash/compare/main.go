// Compare prints how fast file_hash reads a file beside the programs of the system on the same file, and how much memory it takes.
//
//	go run ./tasks/file_hash/compare [megabytes [algorithm]…]
//
// The handler gets the file as in a worker: by URL, over a connection, from a server that is a process of its own. sha256sum and the
// others read it from the page cache. Programs that are not installed (b3sum) are left out.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/safefetch"
	"github.com/taskflow-hub/taskflow-hub/go-workers/task"
	"github.com/taskflow-hub/taskflow-hub/go-workers/tasks/file_hash"
)

// programs of the system, by what they compute.
var programs = map[string]string{
	"sha256": "sha256sum", "sha512": "sha512sum", "sha1": "sha1sum", "md5": "md5sum", "blake2b": "b2sum", "blake3": "b3sum",
}

var runs = [][]string{{"sha256"}, {"sha512"}, {"sha1"}, {"md5"}, {"blake2b"}, {"blake3"}, {"crc32c"}, {"sha256", "blake3"}}

func main() {
	if folder := os.Getenv("COMPARE_SERVES"); folder != "" {
		serve(folder)
		return
	}
	megabytes := 2_048
	if len(os.Args) > 1 {
		var err error
		if megabytes, err = strconv.Atoi(os.Args[1]); err != nil || megabytes < 1 {
			fmt.Fprintln(os.Stderr, "usage: compare [megabytes [algorithm]…]")
			os.Exit(2)
		}
	}
	if len(os.Args) > 2 {
		runs = nil
		for _, algorithm := range os.Args[2:] {
			runs = append(runs, []string{algorithm})
		}
	}
	if err := compare(int64(megabytes) << 20); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func compare(size int64) error {
	folder, err := os.MkdirTemp("", "compare-hashes-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "file")
	if err := write(path, size); err != nil {
		return err
	}
	origin, stop, err := startServer(folder)
	if err != nil {
		return err
	}
	defer stop()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%d MB\tMB/s\tCPU s/GB\tprogram\tMB/s\tCPU s/GB\treports\tpeak memory\t\n", size>>20)
	for _, algorithms := range runs {
		ours, reports, sums, err := byHandler(origin+"/file", algorithms)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t", strings.Join(algorithms, "+"), ours.of(size))
		if program := programs[algorithms[0]]; len(algorithms) == 1 && installed(program) {
			theirs, sum, err := byProgram(program, path)
			if err != nil {
				return err
			}
			if sum != sums[algorithms[0]] {
				return fmt.Errorf("%s says %s, the handler %s", program, sum, sums[algorithms[0]])
			}
			fmt.Fprintf(table, "%s\t%s\t", program, theirs.of(size))
		} else {
			fmt.Fprint(table, "\t\t\t")
		}
		fmt.Fprintf(table, "%d\t%d MB\t\n", reports, peakMemory()>>10)
	}
	return table.Flush()
}

// A cost is the time and the work that a pass over the file took.
type cost struct{ wall, cpu time.Duration }

func (c cost) of(size int64) string {
	return fmt.Sprintf("%.0f\t%.2f", float64(size)/1e6/c.wall.Seconds(), c.cpu.Seconds()/(float64(size)/1e9))
}

// byHandler also gives how often the handler reported its progress.
func byHandler(url string, algorithms []string) (took cost, reports int, sums map[string]string, err error) {
	allow, err := safefetch.ParseAllowList("127.0.0.1/32")
	if err != nil {
		return cost{}, 0, nil, err
	}
	payload := fmt.Sprintf(`{"url":%q,"algorithms":["%s"]}`, url, strings.Join(algorithms, `","`))
	before, began := used(syscall.RUSAGE_SELF), time.Now()
	result, err := file_hash.Task.Run(context.Background(), []byte(payload), task.Setting{
		Attempt: 1, Log: slog.New(slog.DiscardHandler), Progress: func(float64, string) { reports++ },
		Fetch: safefetch.New(safefetch.Config{Allow: allow}),
	})
	if err != nil {
		return cost{}, 0, nil, err
	}
	return cost{time.Since(began), used(syscall.RUSAGE_SELF) - before}, reports, result.(file_hash.Result).Hashes, nil
}

func byProgram(program, path string) (cost, string, error) {
	before, began := used(syscall.RUSAGE_CHILDREN), time.Now()
	output, err := exec.Command(program, path).Output()
	if err != nil {
		return cost{}, "", fmt.Errorf("%s: %w", program, err)
	}
	sum, _, _ := strings.Cut(string(output), " ")
	return cost{time.Since(began), used(syscall.RUSAGE_CHILDREN) - before}, sum, nil
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return program != "" && err == nil
}

func used(who int) time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(who, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakMemory of this process so far, in KiB.
func peakMemory() int64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Maxrss
}

func write(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	random := rand.NewChaCha8([32]byte{})
	piece := make([]byte, 1<<20)
	for left := size; left > 0; left -= int64(len(piece)) {
		piece = piece[:min(int64(len(piece)), left)]
		_, _ = random.Read(piece)
		if _, err := out.Write(piece); err != nil {
			return err
		}
	}
	return out.Flush()
}

// startServer runs this program as a server of the folder.
func startServer(folder string) (origin string, stop func(), err error) {
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), "COMPARE_SERVES="+folder)
	server.Stderr = os.Stderr
	output, err := server.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = server.Process.Kill(); _ = server.Wait() }
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the server does not start: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

func serve(folder string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("http://" + listener.Addr().String())
	_ = http.Serve(listener, http.FileServer(http.Dir(folder)))
}
