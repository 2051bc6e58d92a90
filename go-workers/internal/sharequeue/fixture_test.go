package sharequeue_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A fixture is a client of the broker for tests, and the queues that a test opens on it.
type fixture struct {
	*testing.T
	client *kgo.Client
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return &fixture{t, kafkatest.Client(t, kafkatest.Brokers(t))}
}

// open joins a queue as a process of its own would.
func (f *fixture) open(queue kafkatest.Queue, adjust ...func(*sharequeue.Config)) *sharequeue.Queue {
	f.Helper()
	config := sharequeue.Config{Client: f.client, Topic: queue.Topic, Group: queue.Group, Logger: kafkatest.Logger()}
	for _, one := range adjust {
		one(&config)
	}
	opened, err := sharequeue.Open(f.Context(), config)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		opened.Close(ctx)
	})
	return opened
}

func (f *fixture) fetch(queue *sharequeue.Queue, maxRecords int, maxWait time.Duration) []*sharequeue.Delivered {
	f.Helper()
	records, err := queue.Fetch(f.Context(), maxRecords, maxWait)
	if err != nil {
		f.Fatal(err)
	}
	return records
}

// take fetches until so many records have come, accepting none.
func (f *fixture) take(queue *sharequeue.Queue, count int) []*sharequeue.Delivered {
	f.Helper()
	var taken []*sharequeue.Delivered
	kafkatest.Until(f, fmt.Sprintf("%d records have come", count), func() bool {
		if len(taken) < count {
			taken = append(taken, f.fetch(queue, count-len(taken), 300*time.Millisecond)...)
		}
		return len(taken) == count
	})
	return taken
}

func (f *fixture) settled(queue *sharequeue.Queue) {
	f.Helper()
	if err := queue.Settled(f.Context()); err != nil {
		f.Fatal(err)
	}
}

// acceptAll accepts records, and sees that the broker has taken it.
func (f *fixture) acceptAll(queue *sharequeue.Queue, records []*sharequeue.Delivered) {
	f.Helper()
	before := queue.Health().Acknowledgements.Accepted
	for _, record := range records {
		queue.Accept(record)
	}
	f.settled(queue)
	if accepted := queue.Health().Acknowledgements.Accepted - before; accepted != int64(len(records)) {
		f.Fatalf("%d of %d accepts were taken: %+v", accepted, len(records), queue.Health())
	}
}

// untilPolled waits until the queue has a session.
func (f *fixture) untilPolled(queue *sharequeue.Queue) {
	f.Helper()
	kafkatest.Until(f, "the session is open", func() bool {
		f.fetch(queue, 1, 50*time.Millisecond)
		return queue.Health().OpenSessions > 0
	})
}

func (f *fixture) empty(queue *sharequeue.Queue) {
	f.Helper()
	f.untilPolled(queue)
	if records := f.fetch(queue, 5, 500*time.Millisecond); len(records) > 0 {
		f.Fatalf("nothing should be left, but there is %v", values(records))
	}
}

func numbered(count int) []string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf("v%d", i)
	}
	return all
}

func values(records []*sharequeue.Delivered) []string {
	all := make([]string, len(records))
	for i, record := range records {
		all[i] = string(record.Value)
	}
	return all
}

func sorted(all []string) []string { slices.Sort(all); return all }
