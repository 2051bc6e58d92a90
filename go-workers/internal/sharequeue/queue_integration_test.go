package sharequeue_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

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

func TestIntegrationWholeBatchesWhereOneFits(t *testing.T) {
	f := newFixture(t)
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	const batch, batches = 40, 12
	for range batches {
		kafkatest.Produce(t, f.client, queue.Topic, numbered(batch)...)
	}
	consumer := f.open(queue, func(config *sharequeue.Config) { config.BatchRecords = batch })
	var late []*sharequeue.Delivered
	for _, one := range []struct{ maxRecords, want int }{
		{batch - 1, batch - 1}, // less than a batch: no more than those
		{batch, 1},             // the rest of it, since a whole one beside it might be too much
		{batch, batch},
		{2*batch - 1, batch},
		{2 * batch, 2 * batch},
		{5 * batch, 5 * batch},
		{5 * batch, 2 * batch},
	} {
		records := f.fetch(consumer, one.maxRecords, 20*time.Second)
		if len(records) != one.want {
			t.Fatalf("%d records came of %d asked for, want %d", len(records), one.maxRecords, one.want)
		}
		late = append(late, records[0])
		for _, record := range records[1:] {
			consumer.Accept(record)
		}
	}
	for _, record := range late {
		consumer.Accept(record)
	}
	f.settled(consumer)
	if counts := consumer.Health().Acknowledgements; counts.Accepted != batch*batches || counts.InvalidState != 0 {
		t.Errorf("acknowledgements are %+v", counts)
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

func TestIntegrationAcceptsGather(t *testing.T) {
	f := newFixture(t)
	network := kafkatest.NewNetwork()
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, numbered(50)...)
	consumer := f.open(queue, over(network))
	for _, record := range f.take(consumer, 50) {
		consumer.Accept(record)
		time.Sleep(2 * time.Millisecond)
	}
	kafkatest.Until(t, "all accepts are taken", func() bool { return consumer.Health().Acknowledgements.Accepted == 50 })
	if requests := network.Seen(shareAcknowledgeKey); requests > 5 {
		t.Errorf("%d requests carried 50 accepts of a tenth of a second", requests)
	}
}
