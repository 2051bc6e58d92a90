package kafkatest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// Properties are settings of a broker, beside those of infra/kafka or in their place.
type Properties map[string]any

// brokerOptions are those of startBroker in infra/embedded.
type brokerOptions struct {
	StateDir        string     `json:"stateDir"`
	Port            int        `json:"port"`
	ControllerPort  int        `json:"controllerPort"`
	NodeID          int        `json:"nodeId"`
	ExtraProperties Properties `json:"extraProperties,omitempty"`
}

// StartBroker starts a broker that ends with the test. The test is skipped where there is no stack for tests at all.
func StartBroker(t testing.TB, properties Properties) *Broker {
	t.Helper()
	ports := FreePorts(t, 2)
	return startBroker(t, brokerOptions{Port: ports[0], ControllerPort: ports[1], NodeID: 1, ExtraProperties: properties})
}

// A Pair is a cluster of two brokers with the ids 1 and 2. The first is the controller, too.
type Pair struct{ First, Second *Broker }

// StartPair starts two brokers that end with the test.
func StartPair(t testing.TB, properties Properties) *Pair {
	t.Helper()
	ports := FreePorts(t, 3)
	first := startBroker(t, brokerOptions{Port: ports[0], ControllerPort: ports[1], NodeID: 1, ExtraProperties: properties})
	joining := Properties{
		"process.roles":            "broker",
		"controller.quorum.voters": fmt.Sprintf("1@127.0.0.1:%d", ports[1]),
		"listeners":                fmt.Sprintf("PLAINTEXT://127.0.0.1:%d", ports[2]),
	}
	maps.Copy(joining, properties)
	second := startBroker(t, brokerOptions{Port: ports[2], ControllerPort: ports[1], NodeID: 2, ExtraProperties: joining})
	return &Pair{first, second}
}

func startBroker(t testing.TB, options brokerOptions) *Broker {
	t.Helper()
	Brokers(t)
	root := repositoryRoot(t)
	options.StateDir = t.TempDir()
	described, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	program := exec.Command("node", "--conditions=taskflow-source",
		filepath.Join(root, "go-workers/internal/kafkatest/testdata/broker.mjs"), string(described))
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
		Address: fmt.Sprintf("127.0.0.1:%d", options.Port), t: t, commands: bufio.NewWriter(stdin), answers: bufio.NewScanner(stdout),
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

// FreePorts gives different ports on which nobody listens now. They lie below the range from which Linux takes the ports of
// outgoing connections, so that a broker that is away for a while finds its port free again.
func FreePorts(t testing.TB, count int) []int {
	t.Helper()
	var ports []int
	for len(ports) < count {
		port := 10_000 + rand.IntN(10_000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = listener.Close()
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
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
