package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/logreader"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/recordbatch"
	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

const (
	// maxTailBytes are kept of a partition between looks. A longer range is read for those only who are asked for, and forgotten.
	maxTailBytes = 16 << 20
	// keepTail: what nobody asked for in so long is forgotten.
	keepTail = time.Minute
	// toEnd reads to the end that the partition has now.
	toEnd = -1
)

// A position in a partition: an offset, or the first record of a time.
type position struct {
	offset int64
	at     int64
	byTime bool
}

func atOffset(offset int64) position { return position{offset: offset} }

func atTime(at int64) position { return position{at: at, byTime: true} }

// A loggedEvent is an event where it lies in its events partition.
type loggedEvent struct {
	event  schemas.Event
	offset int64
}

// tails are the ends of events partitions, read as far back as somebody asked. Who asks while another reads waits for what that
// one brings, and reads on from there: so one scan serves all records of a fetch, and of a leader change.
type tails struct {
	reader *logreader.Reader
	decode func(context.Context, []byte) (schemas.Event, error)

	mu   sync.Mutex
	each map[tailKey]*tail
}

type tailKey struct {
	topic     string
	partition int32
}

type tail struct {
	mu       sync.Mutex
	known    bool
	from, to int64
	fromAt   int64 // a time that from stands for; 0: none
	byTask   map[string][]rawEvent
	bytes    int
	partial  bool // not all tasks' events are kept
	usedAt   time.Time
	// endAskedAt is when the end was asked for that the range reaches to.
	endAskedAt time.Time
}

type rawEvent struct {
	offset int64
	value  []byte
}

func newTails(reader *logreader.Reader, decode func(context.Context, []byte) (schemas.Event, error)) *tails {
	return &tails{reader: reader, decode: decode, each: map[tailKey]*tail{}}
}

// look gives the events of some tasks from a position on, in order, and the offset before which it has looked: to, or the end.
func (t *tails) look(
	ctx context.Context, topic string, partition int32, from position, to int64, tasks map[string]bool,
) (map[string][]loggedEvent, int64, error) {
	one := t.tail(tailKey{topic, partition})
	came := time.Now()
	one.mu.Lock()
	defer one.mu.Unlock()
	one.usedAt = time.Now()
	var err error
	endAskedAt := one.endAskedAt
	switch {
	case to != toEnd:
	case one.known && endAskedAt.After(came):
		to = one.to // who was before has looked since this one came
	default:
		endAskedAt = time.Now()
		if to, err = t.reader.End(ctx, topic, partition); err != nil {
			return nil, 0, err
		}
	}
	first := from.offset
	switch {
	case from.byTime && one.known && one.fromAt > 0 && one.fromAt <= from.at:
		first = one.from
	case from.byTime:
		if first, err = t.reader.OffsetAt(ctx, topic, partition, from.at); err != nil {
			return nil, 0, err
		}
	}
	reached := one.to
	if err := one.extend(ctx, t.reader, topic, partition, first, to, tasks); err != nil {
		one.forget()
		return nil, 0, err
	}
	if one.endAskedAt = endAskedAt; one.to < reached { // another range, which ends earlier
		one.endAskedAt = time.Time{}
	}
	if from.byTime && one.from == first && (one.fromAt == 0 || from.at < one.fromAt) {
		one.fromAt = max(1, from.at)
	}
	found, err := one.find(ctx, first, to, tasks, t.decode)
	if one.partial {
		one.forget()
	}
	return found, to, err
}

func (t *tails) tail(key tailKey) *tail {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.each[key] == nil {
		t.each[key] = &tail{byTask: map[string][]rawEvent{}}
	}
	return t.each[key]
}

// tidy forgets what has not been asked for lately.
func (t *tails) tidy(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, one := range t.each {
		if one.mu.TryLock() {
			if now.Sub(one.usedAt) > keepTail {
				delete(t.each, key)
			}
			one.mu.Unlock()
		}
	}
}

// extend reads what is not known yet of a range.
func (one *tail) extend(
	ctx context.Context, reader *logreader.Reader, topic string, partition int32, from, to int64, tasks map[string]bool,
) error {
	if !one.known || from > one.to || to < one.from {
		one.forget()
		one.known, one.from, one.to = true, from, from
	}
	keep := func(record recordbatch.Record) { one.keep(record, tasks) }
	if from < one.from {
		if err := read(ctx, reader, topic, partition, from, one.from, keep); err != nil {
			return err
		}
		one.from, one.fromAt = from, 0
		for _, events := range one.byTask {
			sort.Slice(events, func(i, j int) bool { return events[i].offset < events[j].offset })
		}
	}
	if to > one.to {
		if err := read(ctx, reader, topic, partition, one.to, to, keep); err != nil {
			return err
		}
		one.to = to
	}
	return nil
}

// read passes over what was trimmed: nothing can be known of it any more.
func read(
	ctx context.Context, reader *logreader.Reader, topic string, partition int32, from, to int64, each func(recordbatch.Record),
) error {
	err := reader.Read(ctx, topic, partition, from, to, each)
	var gap *logreader.GapError
	if !errors.As(err, &gap) {
		return err
	}
	start, err := reader.OffsetAt(ctx, topic, partition, 0)
	if err != nil {
		return err
	}
	if start <= gap.Offset {
		return gap
	}
	return reader.Read(ctx, topic, partition, start, to, each)
}

func (one *tail) keep(record recordbatch.Record, tasks map[string]bool) {
	one.partial = one.partial || one.bytes > maxTailBytes
	if one.partial && !tasks[string(record.Key)] {
		return
	}
	task := string(record.Key)
	one.byTask[task] = append(one.byTask[task], rawEvent{record.Offset, append([]byte(nil), record.Value...)})
	one.bytes += len(record.Key) + len(record.Value) + 64
}

func (one *tail) find(
	ctx context.Context, from, to int64, tasks map[string]bool, decode func(context.Context, []byte) (schemas.Event, error),
) (map[string][]loggedEvent, error) {
	found := map[string][]loggedEvent{}
	for task := range tasks {
		for _, raw := range one.byTask[task] {
			if raw.offset < from || raw.offset >= to {
				continue
			}
			event, err := decode(ctx, raw.value)
			if err != nil {
				return nil, err
			}
			if event != nil {
				found[task] = append(found[task], loggedEvent{event, raw.offset})
			}
		}
	}
	return found, nil
}

func (one *tail) forget() {
	one.known, one.partial, one.bytes, one.fromAt, one.endAskedAt, one.byTask = false, false, 0, 0, time.Time{}, map[string][]rawEvent{}
}

// retryPause before a repetition (1 is the first): a random time up to a bound.
func retryPause(repetition int) time.Duration {
	return time.Duration(rand.Float64() * float64(min(2*time.Second, 50*time.Millisecond<<min(repetition, 10))))
}
