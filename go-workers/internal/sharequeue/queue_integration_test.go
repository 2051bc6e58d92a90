package sharequeue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
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

func TestIntegrationEachRecordGoesToOneOfTwoConsumers(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, numbered(300)...)
	var mu sync.Mutex
	var seen []string
	var consumers sync.WaitGroup
	for range 2 {
		consumer := f.open(queue)
		consumers.Go(func() {
			for {
				mu.Lock()
				all := len(seen) >= 300
				mu.Unlock()
				if all {
					return
				}
				records, _ := consumer.Fetch(t.Context(), 10, 100*time.Millisecond)
				mu.Lock()
				seen = append(seen, values(records)...)
				mu.Unlock()
				for _, record := range records {
					consumer.Accept(record)
				}
			}
		})
	}
	consumers.Wait()
	if !slices.Equal(sorted(seen), sorted(numbered(300))) {
		t.Errorf("%d records came: %v", len(seen), seen)
	}
}

func TestIntegrationNeverMoreRecordsThanAskedFor(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, numbered(500)...)
	consumer := f.open(queue)
	for total, maxRecords := 0, 1; total < 400; maxRecords += 3 {
		records := f.fetch(consumer, maxRecords, time.Second)
		if len(records) > maxRecords {
			t.Fatalf("%d records came, at most %d were asked for", len(records), maxRecords)
		}
		total += len(records)
		for _, record := range records {
			consumer.Accept(record)
		}
	}
}

func TestIntegrationWhatARecordTells(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, "a", "b")
	records := f.take(f.open(queue), 2)
	b := records[1]
	if string(b.Key) != "key-1" || string(b.Value) != "b" || b.Topic != queue.Topic || b.Partition != 0 || b.Offset != 1 {
		t.Errorf("the record is %+v", b)
	}
	if b.Delivery != 1 || b.LeaderEpoch != 0 || b.Hold().LeaderEpoch != 0 || b.Hold().Lost() || b.AppendedAt == 0 {
		t.Errorf("the record is %+v, its hold %+v", b, b.Hold())
	}
	if left := time.Until(b.LockedUntil()); left <= 0 || left > 15*time.Second {
		t.Errorf("it is locked for another %v", left)
	}
}

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

func TestIntegrationTopicCreatedLaterAndDeleted(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Partitions: -1})
	lost := make(chan *sharequeue.Hold, 10)
	consumer := f.open(queue, func(config *sharequeue.Config) {
		config.OnSessionLost = func(hold *sharequeue.Hold, _ error) { lost <- hold }
	})
	if records := f.fetch(consumer, 1, 300*time.Millisecond); len(records) > 0 {
		t.Fatalf("records of a topic that does not exist: %v", values(records))
	}
	kafkatest.CreateTopic(t, f.client, queue.Topic, 1)
	kafkatest.Produce(t, f.client, queue.Topic, "first")
	first := f.take(consumer, 1)[0]
	kafkatest.DeleteTopic(t, f.client, queue.Topic)
	kafkatest.Until(t, "the hold is lost", func() bool {
		f.fetch(consumer, 1, 100*time.Millisecond)
		return first.Hold().Lost()
	})
	if hold := <-lost; hold != first.Hold() {
		t.Errorf("lost: %+v", hold)
	}
	kafkatest.CreateTopic(t, f.client, queue.Topic, 1)
	other := kafkatest.Client(t, kafkatest.Brokers(t)) // the first one remembers sequence numbers of the deleted topic
	kafkatest.Produce(t, other, queue.Topic, "second")
	if second := f.take(consumer, 1)[0]; string(second.Value) != "second" || second.Hold() == first.Hold() {
		t.Errorf("got %s on hold %d after %d", second.Value, second.Hold().ID, first.Hold().ID)
	}
}

func TestIntegrationCompressedBatchesAndTransactionMarkers(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	transactional := kafkatest.Client(t, kafkatest.Brokers(t), kgo.TransactionalID(queue.Topic))
	if err := transactional.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	kafkatest.Produce(t, transactional, queue.Topic, "in a transaction")
	if err := transactional.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	kafkatest.Until(t, "the transaction's marker is written", func() bool {
		return kafkatest.EndOffset(t, f.client, queue.Topic) == 2
	})
	want := []string{"in a transaction"}
	for _, codec := range []kgo.CompressionCodec{
		kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		kafkatest.Produce(t, kafkatest.Client(t, kafkatest.Brokers(t), kgo.ProducerBatchCompression(codec)), queue.Topic, numbered(50)...)
		want = append(want, numbered(50)...)
	}
	consumer := f.open(queue)
	records := f.take(consumer, len(want))
	if !slices.Equal(values(records), want) || records[1].Offset != 2 {
		t.Errorf("records: %v", values(records))
	}
	f.acceptAll(consumer, records)
	f.empty(f.open(queue))
}

func TestIntegrationRecordsLargerThanAFetch(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	var want []string
	for i := range 6 {
		want = append(want, strings.Repeat(string(rune('a'+i)), 900_000))
		kafkatest.Produce(t, f.client, queue.Topic, want[i])
	}
	consumer := f.open(queue, func(config *sharequeue.Config) { config.MaxBytes = 500_000 })
	if records := f.take(consumer, 6); !slices.Equal(values(records), want) {
		t.Error("the records are not what was produced")
	}
}

func TestIntegrationSeveralPartitions(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Partitions: 3})
	for partition := range int32(3) {
		for i := range 20 {
			record := &kgo.Record{Topic: queue.Topic, Partition: partition, Value: fmt.Appendf(nil, "%d-%d", partition, i)}
			if err := f.client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	consumer := f.open(queue)
	records := f.take(consumer, 60)
	holds := map[int64]bool{}
	for _, record := range records {
		holds[record.Hold().ID] = true
	}
	if len(holds) != 3 {
		t.Errorf("there are %d holds", len(holds))
	}
	f.acceptAll(consumer, records)
}

func TestIntegrationTwentyQueuesOfOneProcess(t *testing.T) {
	f := newFixture(t)
	for range 20 {
		queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
		consumer := f.open(queue)
		kafkatest.Produce(t, f.client, queue.Topic, queue.Topic)
		if record := f.take(consumer, 1)[0]; string(record.Value) != queue.Topic {
			t.Errorf("got %s", record.Value)
		}
		if health := consumer.Health(); health.Membership != sharequeue.Member || health.OpenSessions != 1 || health.SinceFetch < 0 {
			t.Errorf("health is %+v", health)
		}
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
	if records := f.fetch(waiting, 1, 100*time.Millisecond); len(records) > 0 {
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
