package kafkatest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// A Log notes what is logged from warnings on.
type Log struct {
	mu    sync.Mutex
	lines []string
}

// Logger logs to it, and to where [Logger] does.
func (l *Log) Logger() *slog.Logger { return slog.New(&noting{Handler: Logger().Handler(), log: l}) }

// Take gives the messages since the last time.
func (l *Log) Take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return slices.Clone(lines)
}

type noting struct {
	slog.Handler
	log *Log
}

func (h *noting) Enabled(context.Context, slog.Level) bool { return true }

func (h *noting) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelWarn {
		line := record.Message
		record.Attrs(func(attr slog.Attr) bool {
			line += " " + attr.String()
			return true
		})
		h.log.mu.Lock()
		h.log.lines = append(h.log.lines, line)
		h.log.mu.Unlock()
	}
	if !h.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

func (h *noting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &noting{h.Handler.WithAttrs(attrs), h.log}
}

func (h *noting) WithGroup(name string) slog.Handler {
	return &noting{h.Handler.WithGroup(name), h.log}
}
