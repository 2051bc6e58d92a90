package tasktest

import (
	"log/slog"
	"strings"
	"sync"
)

// Said keeps what a handler says while it runs: the zero value is ready.
type Said struct {
	mu       sync.Mutex
	log      strings.Builder
	progress []Progress
}

// Progress is one report of a handler's.
type Progress struct {
	Fraction float64
	Note     string
}

// Lines of its log, one for each call, such as `level=INFO msg=counting bytes=7`.
func (said *Said) Lines() []string {
	said.mu.Lock()
	defer said.mu.Unlock()
	return strings.Split(strings.TrimSuffix(said.log.String(), "\n"), "\n")
}

// Progress gives its reports, in order.
func (said *Said) Progress() []Progress {
	said.mu.Lock()
	defer said.mu.Unlock()
	return append([]Progress(nil), said.progress...)
}

// Write takes a line of the log.
func (said *Said) Write(line []byte) (int, error) {
	said.mu.Lock()
	defer said.mu.Unlock()
	return said.log.Write(line)
}

func (said *Said) report(fraction float64, note string) {
	said.mu.Lock()
	defer said.mu.Unlock()
	said.progress = append(said.progress, Progress{fraction, note})
}

// logger writes lines as they are read most easily in a test.
func (said *Said) logger() *slog.Logger {
	plain := func(_ []string, attr slog.Attr) slog.Attr {
		if attr.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return attr
	}
	return slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: plain}))
}
