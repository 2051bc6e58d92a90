package sharequeue_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/twmb/franz-go/pkg/kgo"
)

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
