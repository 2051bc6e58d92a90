package kafkatest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A Broker is one of the test's own.
type Broker struct {
	Address string

	t        testing.TB
	commands *bufio.Writer
	answers  *bufio.Scanner
}

// StartBroker starts a broker that ends with the test. The test is skipped where there is no stack for tests at all.
func StartBroker(t testing.TB) *Broker {
	t.Helper()
	Brokers(t)
	root := repositoryRoot(t)
	port := freePort(t)
	program := exec.Command("node", "--conditions=taskflow-source",
		filepath.Join(root, "go-workers/internal/kafkatest/testdata/broker.mjs"),
		t.TempDir(), fmt.Sprint(port), fmt.Sprint(freePort(t)))
	program.Dir = root
	program.Stderr = t.Output()
	stdin, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	broker := &Broker{
		Address: fmt.Sprintf("127.0.0.1:%d", port), t: t, commands: bufio.NewWriter(stdin), answers: bufio.NewScanner(stdout),
	}
	t.Cleanup(func() {
		_ = stdin.Close() // it ends with its input
		_ = program.Wait()
	})
	broker.await("started")
	return broker
}

// Start it again.
func (b *Broker) Start() { b.do("start", "started") }

// Stop it orderly.
func (b *Broker) Stop() { b.do("stop", "stopped") }

// Kill it as kill -9 does.
func (b *Broker) Kill() { b.do("kill", "killed") }

func (b *Broker) do(command, answer string) {
	b.t.Helper()
	_, _ = b.commands.WriteString(command + "\n")
	if err := b.commands.Flush(); err != nil {
		b.t.Fatalf("broker: %s: %v", command, err)
	}
	b.await(answer)
}

func (b *Broker) await(answer string) {
	b.t.Helper()
	if !b.answers.Scan() || strings.TrimSpace(b.answers.Text()) != answer {
		b.t.Fatalf("the broker should be %s, it says %q (%v)", answer, b.answers.Text(), b.answers.Err())
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// repositoryRoot is found from the package's folder, in which `go test` runs: the path of a source file is no path with -trimpath.
func repositoryRoot(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "lerna.json")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("the root of the repository (with lerna.json) is not above the folder of this test")
		}
		folder = parent
	}
}
