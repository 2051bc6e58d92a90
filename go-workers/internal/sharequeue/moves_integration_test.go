package sharequeue_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

func TestIntegrationLeadersAndCoordinatorsThatMove(t *testing.T) {
	pair := kafkatest.StartPair(t, kafkatest.ReplicatedCoordinators)
	newFixture := func(t *testing.T) *fixture { return &fixture{t, kafkatest.Client(t, []string{pair.First.Address})} }

	t.Run("leaders", func(t *testing.T) {
		f := newFixture(t)
		queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: time.Minute})
		consumer := f.openApart(queue, pair)
		first := kafkatest.Leaders(t, f.client, queue.Topic)[0]
		for round, leader := range []int32{first, 3 - first, first, 3 - first} {
			kafkatest.Place(t, f.client, queue.Topic, leader)
			value := fmt.Sprintf("round %d", round)
			kafkatest.Produce(t, f.client, queue.Topic, value)
			records := f.takeHeld(consumer, 1)
			if string(records[0].Value) != value || records[0].Hold().BrokerID != leader {
				t.Errorf("broker %d gave %s, %d leads", records[0].Hold().BrokerID, records[0].Value, leader)
			}
			f.acceptAll(consumer, records)
		}
	})

	t.Run("leaders under load", func(t *testing.T) {
		f := newFixture(t)
		queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: time.Minute})
		kafkatest.Place(t, f.client, queue.Topic, 1)
		consumers := []*sharequeue.Queue{f.openApart(queue, pair), f.openApart(queue, pair)}
		kafkatest.Produce(t, f.client, queue.Topic, "kept")
		kept := f.take(consumers[0], 1)[0]
		consuming := f.consume(consumers...)
		produced := []string{"kept"} // it comes again once its hold is lost
		more := func(count int) {
			for range count {
				value := fmt.Sprintf("v%d", len(produced))
				kafkatest.Produce(t, f.client, queue.Topic, value)
				produced = append(produced, value)
			}
		}
		more(50)
		for _, leader := range []int32{2, 1, 2} {
			var producing sync.WaitGroup
			producing.Go(func() { more(50) })
			kafkatest.Place(t, f.client, queue.Topic, leader)
			producing.Wait()
		}
		kafkatest.Until(t, "all that was produced has come, and is accepted", func() bool {
			return consuming.count() == len(produced) && kafkatest.Lag(t, f.client, queue.Group, queue.Topic) == 0
		})
		if !kept.Hold().Lost() {
			t.Error("a hold on the old leader is not lost")
		}
		if got := consuming.values(); !slices.Equal(got, sorted(produced)) {
			t.Errorf("these came: %v", got)
		}
	})

	t.Run("the coordinators", func(t *testing.T) {
		f := newFixture(t)
		queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: time.Minute})
		kafkatest.Place(t, f.client, queue.Topic, 1) // the log itself stays where it is
		consumer := f.openApart(queue, pair)
		f.acceptNew(consumer, queue, "a0", "b0")
		f.coordinateOnSecond(queue)

		kafkatest.Produce(t, f.client, queue.Topic, "held")
		held := f.take(consumer, 1)
		pair.Second.Stop()
		f.acceptNew(consumer, queue, "a1", "b1")
		if lost := consumer.Renew(t.Context(), held); len(lost) > 0 {
			t.Error("a lock was lost with a coordinator")
		}
		kafkatest.Until(t, "the first broker coordinates", func() bool { return kafkatest.Coordinator(t, f.client, queue.Group) == 1 })
		f.untilMember(consumer)

		pair.Second.Start()
		f.coordinateOnSecond(queue)
		f.acceptNew(consumer, queue, "a2", "b2")
		f.untilMember(consumer)
		pair.Second.Kill()
		f.acceptNew(consumer, queue, "a3", "b3")
		f.untilMember(consumer)
		pair.Second.Start()
		f.acceptAll(consumer, held)
		f.empty(consumer)
		health := consumer.Health()
		if want := (sharequeue.AcknowledgementCounts{Accepted: 9}); health.Acknowledgements != want || health.SessionsLost != 0 {
			t.Errorf("health is %+v", health)
		}
	})

	t.Run("the one broker of a queue crashes", func(t *testing.T) {
		f := newFixture(t)
		queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: time.Minute})
		kafkatest.Place(t, f.client, queue.Topic, 2)
		consumer := f.openApart(queue, pair)
		for round := range 2 {
			f.acceptNew(consumer, queue, fmt.Sprintf("round %d", round))
			pair.Second.Kill()
			pair.Second.Start()
		}
		f.acceptNew(consumer, queue, "at last")
	})
}

// openApart joins a queue with a client of its own, which knows of leaders and coordinators what it has found itself.
func (f *fixture) openApart(queue kafkatest.Queue, pair *kafkatest.Pair) *sharequeue.Queue {
	f.Helper()
	client := kafkatest.Client(f, []string{pair.First.Address})
	return f.open(queue, func(config *sharequeue.Config) { config.Client = client })
}

// acceptNew produces, takes and accepts; nothing comes twice.
func (f *fixture) acceptNew(consumer *sharequeue.Queue, queue kafkatest.Queue, texts ...string) {
	f.Helper()
	kafkatest.Produce(f, f.client, queue.Topic, texts...)
	records := f.take(consumer, len(texts))
	for _, record := range records {
		if record.Delivery != 1 {
			f.Errorf("%s comes for the %d. time", record.Value, record.Delivery)
		}
	}
	if !slices.Equal(values(records), texts) {
		f.Errorf("taken: %v, produced: %v", values(records), texts)
	}
	f.acceptAll(consumer, records)
}

// coordinateOnSecond: the second broker coordinates all groups, and the first one can take over.
func (f *fixture) coordinateOnSecond(queue kafkatest.Queue) {
	f.Helper()
	for _, topic := range kafkatest.CoordinatorTopics {
		kafkatest.Place(f, f.client, topic, 2, 1)
	}
	kafkatest.Until(f, "the second broker coordinates", func() bool { return kafkatest.Coordinator(f, f.client, queue.Group) == 2 })
}

// untilMember waits for a heartbeat from now on that is answered well.
func (f *fixture) untilMember(consumer *sharequeue.Queue) {
	f.Helper()
	from := time.Now()
	kafkatest.Until(f, "it is a member", func() bool {
		health := consumer.Health()
		return health.Membership == sharequeue.Member && health.SinceHeartbeat < time.Since(from)
	})
}
