package worker

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	// maxLines of one attempt. The last line then says how many were dropped.
	maxLines             = 200
	maxMessageCharacters = 2_000
	maxFieldsBytes       = 4_000
)

// A taskLog is the log of one run. A line that cannot be written is no reason to fail a task.
type taskLog struct {
	queued   *schemas.TaskQueued
	workerID string
	write    func(*schemas.TaskLogLine) bool

	mu      sync.Mutex
	seq     int32
	dropped int
	ended   bool
}

// end is called when the run has ended: it says what is missing.
func (log *taskLog) end() {
	log.mu.Lock()
	defer log.mu.Unlock()
	if log.ended {
		return
	}
	log.ended = true
	if log.dropped > 0 {
		fields, _ := cleanJSON(map[string]int{"dropped": log.dropped, "limit": maxLines})
		log.append("warn", "Further lines were dropped: the limit for an attempt is reached", &fields)
	}
}

func (log *taskLog) line(level, message string, fields map[string]any) {
	log.mu.Lock()
	defer log.mu.Unlock()
	if log.ended {
		return
	}
	if log.seq >= maxLines {
		log.dropped++
		return
	}
	var text *string
	if len(fields) > 0 {
		json, err := cleanJSON(fields)
		switch {
		case err != nil:
			json = `{"fields":"not serialisable"}`
		case len(json) > maxFieldsBytes:
			json = `{"fields":"too long"}`
		}
		text = &json
	}
	if utf8.RuneCountInString(message) > maxMessageCharacters {
		message = string([]rune(message)[:maxMessageCharacters])
	}
	if !log.append(level, cleanText(message), text) {
		log.dropped++
	}
}

func (log *taskLog) append(level, message string, fields *string) bool {
	seq := log.seq
	log.seq++
	head := &log.queued.Head
	return log.write(&schemas.TaskLogLine{
		TaskID: head.TaskID, Generation: head.Generation, Attempt: head.Attempt, WorkerID: log.workerID, UserID: head.UserID,
		Type: head.Type, Seq: seq, OccurredAt: time.Now().UnixMilli(), Level: level, Message: message, Fields: fields,
	})
}

// A logHandler makes slog write to a task's log.
type logHandler struct {
	log    *taskLog
	groups []string
	fields map[string]any
}

func (h logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	fields := make(map[string]any, len(h.fields)+record.NumAttrs())
	for key, value := range h.fields {
		fields[key] = value
	}
	record.Attrs(func(attr slog.Attr) bool {
		h.add(fields, attr)
		return true
	})
	level := "debug"
	switch {
	case record.Level >= slog.LevelError:
		level = "error"
	case record.Level >= slog.LevelWarn:
		level = "warn"
	case record.Level >= slog.LevelInfo:
		level = "info"
	}
	h.log.line(level, record.Message, fields)
	return nil
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := make(map[string]any, len(h.fields)+len(attrs))
	for key, value := range h.fields {
		fields[key] = value
	}
	for _, attr := range attrs {
		h.add(fields, attr)
	}
	h.fields = fields
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	h.groups = append(h.groups[:len(h.groups):len(h.groups)], name)
	return h
}

func (h logHandler) add(fields map[string]any, attr slog.Attr) {
	key := strings.Join(append(h.groups[:len(h.groups):len(h.groups)], attr.Key), ".")
	switch value := attr.Value.Resolve().Any().(type) {
	case error:
		fields[key] = value.Error()
	case time.Duration:
		fields[key] = value.String()
	case []slog.Attr:
		inner := map[string]any{}
		for _, one := range value {
			logHandler{}.add(inner, one)
		}
		fields[key] = inner
	default:
		fields[key] = value
	}
}
