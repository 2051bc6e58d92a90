package sharequeue_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

func TestIntegrationReleaseAndReject(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, "accepted", "released", "rejected")
	consumer := f.open(queue)
	records := f.take(consumer, 3)
	consumer.Accept(records[0])
	consumer.Release(records[0]) // what comes first counts
	consumer.Release(records[1])
	consumer.Reject(records[2])
	f.settled(consumer)
	again := f.take(consumer, 1)[0]
	if string(again.Value) != "released" || again.Delivery != 2 {
		t.Errorf("delivered again: %s, delivery %d", again.Value, again.Delivery)
	}
	f.acceptAll(consumer, []*sharequeue.Delivered{again})
	f.empty(consumer)
	health := consumer.Health()
	want := sharequeue.AcknowledgementCounts{Accepted: 2, Released: 1, Rejected: 1}
	if health.Acknowledgements != want || health.Held != 0 {
		t.Errorf("health is %+v", health)
	}
}

func TestIntegrationLocksEndUnlessRenewed(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: 1500 * time.Millisecond})
	kafkatest.Produce(t, f.client, queue.Topic, numbered(100)...)
	holder := f.open(queue)
	records := f.take(holder, 100)
	stale := []int64{3, 4, 50, 99}
	var kept, left []*sharequeue.Delivered
	for _, record := range records {
		if slices.Contains(stale, record.Offset) {
			left = append(left, record)
		} else {
			kept = append(kept, record)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for ctx.Err() == nil {
			holder.Renew(ctx, kept)
			time.Sleep(300 * time.Millisecond)
		}
	})
	again := f.take(f.open(queue), len(stale))
	lost := holder.Renew(t.Context(), records)
	stop()
	renewing.Wait()
	for i, record := range again {
		if record.Offset != stale[i] || record.Delivery != 2 {
			t.Errorf("delivered again: %d, delivery %d", record.Offset, record.Delivery)
		}
	}
	slices.SortFunc(lost, func(a, b *sharequeue.Delivered) int { return int(a.Offset - b.Offset) })
	if !slices.Equal(lost, left) {
		t.Errorf("lost locks: %v", values(lost))
	}
	// one record without a lock makes the broker refuse all of its partition in a request: the others are accepted all the same
	for _, record := range records {
		holder.Accept(record)
	}
	f.settled(holder)
	if counts := holder.Health().Acknowledgements; counts.Accepted != 96 || counts.InvalidState != 4 {
		t.Errorf("acknowledgements: %+v", counts)
	}
}

func TestIntegrationCloseFreesWhatIsHeld(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, "accepted", "held")
	first := f.open(queue)
	first.Accept(f.take(first, 2)[0])
	first.Close(t.Context())
	again := f.take(f.open(queue), 1)[0]
	if string(again.Value) != "held" || again.Delivery != 2 {
		t.Errorf("delivered again: %s, delivery %d", again.Value, again.Delivery)
	}
	if _, err := first.Fetch(t.Context(), 1, 0); err != sharequeue.ErrClosed {
		t.Errorf("a fetch after the close gives %v", err)
	}
}

func TestIntegrationWhatComesAfterAFetchHasEndedIsGivenBack(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	consumer := f.open(queue)
	f.untilPolled(consumer)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if records, err := consumer.Fetch(ctx, 5, 10*time.Second); err != nil || len(records) > 0 {
		t.Fatalf("the fetch gave %v, %v", records, err)
	}
	kafkatest.Produce(t, f.client, queue.Topic, "late")
	if record := f.take(f.open(queue), 1)[0]; string(record.Value) != "late" {
		t.Errorf("the other consumer got %s", record.Value)
	}
}

func TestIntegrationWhenARecordWasNotToBeHad(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, numbered(3)...)
	opened := make(chan *sharequeue.Hold, 10)
	holder := f.open(queue)
	held := f.take(holder, 3)
	waiting := f.open(queue, func(config *sharequeue.Config) {
		config.OnSessionOpened = func(hold *sharequeue.Hold) { opened <- hold }
	})
	f.untilPolled(waiting)
	asked := time.Now()
	if records := f.fetch(waiting, 1, 300*time.Millisecond); len(records) > 0 {
		t.Fatalf("what is held was handed out: %v", values(records))
	}
	holder.Close(t.Context())
	again := f.take(waiting, 3)
	if hold := <-opened; hold != again[0].Hold() {
		t.Errorf("the session was opened as %+v", hold)
	}
	for i, record := range again {
		times := record.UnavailableAt()
		if len(times) == 0 || times[len(times)-1].Before(asked.Add(-time.Second)) || !times[len(times)-1].Before(record.FetchedAt()) {
			t.Errorf("%s was not to be had at %v, and fetched at %v", record.Value, times, record.FetchedAt())
		}
		if record.Lock() != 15*time.Second || len(held[i].UnavailableAt()) > 0 {
			t.Errorf("%s is locked for %v; of its first delivery %v is said", record.Value, record.Lock(), held[i].UnavailableAt())
		}
	}
	f.acceptAll(waiting, again)
}
