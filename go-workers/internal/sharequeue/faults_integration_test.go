package sharequeue_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	heartbeatKey        = 76
	shareFetchKey       = 78
	shareAcknowledgeKey = 79
)

// over is how a queue is opened over a network with faults.
func over(network *kafkatest.Network) func(*sharequeue.Config) {
	return func(config *sharequeue.Config) { config.Dial, config.AnswerTimeout = network.Dial, time.Second }
}

// takeHeld takes records until so many are held on sessions that live.
func (f *fixture) takeHeld(queue *sharequeue.Queue, count int) []*sharequeue.Delivered {
	f.Helper()
	var held []*sharequeue.Delivered
	kafkatest.Until(f, "records are held on a session that lives", func() bool {
		held = append(held, f.fetch(queue, count-len(held), 300*time.Millisecond)...)
		held = slices.DeleteFunc(held, func(record *sharequeue.Delivered) bool { return record.Hold().Lost() })
		return len(held) == count
	})
	return held
}

func TestIntegrationACutConnectionIsNoticedAtOnceAndHealed(t *testing.T) {
	f := newFixture(t)
	network := kafkatest.NewNetwork()
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	kafkatest.Produce(t, f.client, queue.Topic, numbered(3)...)
	lost := make(chan *sharequeue.Hold, 10)
	consumer := f.open(queue, over(network), func(config *sharequeue.Config) {
		config.OnSessionLost = func(hold *sharequeue.Hold, _ error) { lost <- hold }
	})
	records := f.take(consumer, 3)
	kafkatest.Until(t, "no poll is under way", func() bool { return len(f.fetch(consumer, 0, 0)) == 0 })
	network.CutAll()
	if hold := <-lost; hold != records[0].Hold() || !hold.Lost() { // nothing was asked meanwhile
		t.Errorf("lost: %+v", hold)
	}
	again := f.take(consumer, 3)
	for i, record := range again {
		if string(record.Value) != numbered(3)[i] || record.Delivery != 2 {
			t.Errorf("delivered again: %s, delivery %d", record.Value, record.Delivery)
		}
	}
	// nothing of the old session counts: neither does it accept what is delivered anew
	for _, record := range records {
		consumer.Accept(record)
	}
	f.settled(consumer)
	if counts := consumer.Health().Acknowledgements; counts.Accepted != 0 || counts.LostWithSession != 3 {
		t.Errorf("acknowledgements: %+v", counts)
	}
	f.acceptAll(consumer, again)
}

func TestIntegrationRecordsWhoseAnswerIsLostComeAgainAtOnce(t *testing.T) {
	for name, fault := range map[string]kafkatest.Fault{
		"lost": kafkatest.LoseResponse, "swallowed": kafkatest.SwallowResponse,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			network := kafkatest.NewNetwork()
			queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: time.Minute})
			consumer := f.open(queue, over(network))
			f.untilPolled(consumer)
			struck := network.Inject(fault, shareFetchKey)
			kafkatest.Produce(t, f.client, queue.Topic, numbered(5)...)
			records := f.takeHeld(consumer, 5)
			<-struck
			if !slices.Equal(values(records), numbered(5)) {
				t.Errorf("records: %v", values(records))
			}
			f.acceptAll(consumer, records)
		})
	}
}

func TestIntegrationNoRecordIsLostWithAnAcceptOrItsAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		fault kafkatest.Fault
		again int
	}{
		"accept lost": {kafkatest.LoseRequest, 10},
		"answer lost": {kafkatest.LoseResponse, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			network := kafkatest.NewNetwork()
			queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
			kafkatest.Produce(t, f.client, queue.Topic, numbered(10)...)
			consumer := f.open(queue, over(network))
			records := f.take(consumer, 10)
			struck := network.Inject(test.fault, shareAcknowledgeKey)
			consumer.Accept(records[0])
			<-struck
			for _, record := range records[1:] {
				consumer.Accept(record)
			}
			f.settled(consumer)
			kafkatest.Until(t, "the hold is lost", records[0].Hold().Lost)
			accepted := 10 - test.again
			if accepted > 0 {
				accepted = 1 // the one whose answer was lost; the others were never sent
			}
			again := f.take(consumer, 10-accepted)
			f.acceptAll(consumer, again)
			f.empty(consumer)
		})
	}
}

func TestIntegrationAMemberStaysOneWhenAHeartbeatIsLost(t *testing.T) {
	f := newFixture(t)
	network := kafkatest.NewNetwork()
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	coordinating := kafkatest.Client(t, kafkatest.Brokers(t), kgo.Dialer(network.Dial))
	consumer := f.open(queue, func(config *sharequeue.Config) { config.Client = coordinating })
	f.untilPolled(consumer)
	<-network.Inject(kafkatest.LoseResponse, heartbeatKey)
	kafkatest.Produce(t, f.client, queue.Topic, numbered(2)...)
	f.acceptAll(consumer, f.take(consumer, 2))
	kafkatest.Until(t, "it is a member", func() bool { return consumer.Health().Membership == sharequeue.Member })
}

func TestIntegrationAHalfOpenConnection(t *testing.T) {
	f := newFixture(t)
	network := kafkatest.NewNetwork()
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
	consumer := f.open(queue, over(network))
	f.untilPolled(consumer)
	network.Freeze()
	kafkatest.Until(t, "the session is given up", func() bool {
		f.fetch(consumer, 1, 100*time.Millisecond)
		return consumer.Health().OpenSessions == 0
	})
	network.Heal()
	kafkatest.Produce(t, f.client, queue.Topic, numbered(4)...)
	f.acceptAll(consumer, f.take(consumer, 4))
}

func TestIntegrationABrokerThatRestarts(t *testing.T) {
	for name, end := range map[string]func(*kafkatest.Broker){
		"cleanly": (*kafkatest.Broker).Stop, "after a crash": (*kafkatest.Broker).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			broker := kafkatest.StartBroker(t, nil)
			f := &fixture{t, kafkatest.Client(t, []string{broker.Address})}
			queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{})
			kafkatest.Produce(t, f.client, queue.Topic, numbered(200)...)
			consumers := []*sharequeue.Queue{f.open(queue), f.open(queue)}
			accepted := f.take(consumers[0], 50)
			f.acceptAll(consumers[0], accepted)
			held := f.take(consumers[1], 50)
			end(broker)

			var mu sync.Mutex
			settled, seen := map[string]bool{}, map[string]bool{}
			for _, value := range values(accepted) {
				settled[value] = true
			}
			var consuming sync.WaitGroup
			for _, consumer := range consumers {
				consuming.Go(func() {
					for {
						mu.Lock()
						all := len(settled) == 200
						mu.Unlock()
						if all || t.Context().Err() != nil {
							return
						}
						records, _ := consumer.Fetch(t.Context(), 20, 200*time.Millisecond)
						for _, record := range records {
							consumer.Accept(record)
						}
						_ = consumer.Settled(t.Context())
						mu.Lock()
						for _, record := range records {
							seen[string(record.Value)] = true
							if !record.Hold().Lost() {
								settled[string(record.Value)] = true
							}
						}
						mu.Unlock()
					}
				})
			}
			broker.Start()
			consuming.Wait()
			for _, record := range held {
				if !record.Hold().Lost() {
					t.Fatal("a hold from before the restart is not lost")
				}
			}
			for _, value := range values(accepted) {
				if seen[value] {
					t.Errorf("%s was accepted, and came again", value)
				}
			}
			if len(seen) != 150 {
				t.Errorf("%d records came: %s", len(seen), strings.Join(values(held), " "))
			}
			for _, consumer := range consumers {
				kafkatest.Until(t, "it is a member", func() bool { return consumer.Health().Membership == sharequeue.Member })
				f.empty(consumer)
			}
			kafkatest.Produce(t, f.client, queue.Topic, "after")
			if epoch := f.take(consumers[0], 1)[0].Hold().LeaderEpoch; epoch <= held[0].Hold().LeaderEpoch {
				t.Errorf("the leader epoch is %d after %d", epoch, held[0].Hold().LeaderEpoch)
			}
		})
	}
}
