package sharequeue_test

import (
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
	"github.com/twmb/franz-go/pkg/kgo"
)

// idle is long enough for the broker to have closed each connection on which nothing happens.
const idle = 2500 * time.Millisecond

func TestIntegrationIdleConnectionsAreOpenedAnewAndNobodyHearsOfIt(t *testing.T) {
	// One second of idleness is ten minutes' worth.
	broker := kafkatest.StartBroker(t, kafkatest.Properties{"connections.max.idle.ms": 1_000})
	brokers := []string{broker.Address}
	f := &fixture{t, kafkatest.Client(t, brokers)}
	network, log := kafkatest.NewNetwork(), &kafkatest.Log{}
	queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: time.Minute})
	coordinating := kafkatest.Client(t, brokers, kgo.Dialer(network.Dial))
	consumer := f.open(queue, func(config *sharequeue.Config) {
		config.Client, config.Dial, config.Logger = coordinating, network.Dial, log.Logger()
	})
	kafkatest.Produce(t, f.client, queue.Topic, "before")
	held := f.take(consumer, 1)
	kafkatest.Until(t, "no poll is under way", func() bool { return len(f.fetch(consumer, 0, 0)) == 0 })
	log.Take() // the first member of all waits for the coordinator's topics

	for until := time.Now().Add(idle); time.Now().Before(until); time.Sleep(300 * time.Millisecond) {
		if lost := consumer.Renew(t.Context(), held); len(lost) > 0 {
			t.Fatal("a session whose locks are renewed was lost")
		}
	}
	if held[0].Hold().Lost() {
		t.Error("a hold was lost while its records were renewed")
	}
	f.acceptAll(consumer, held)
	// Nothing is fetched, and there is nothing to renew.
	kafkatest.Until(t, "the broker has closed the session's connection", func() bool {
		return held[0].Hold().Lost() && network.Closed(shareFetchKey)
	})
	kafkatest.Until(t, "the broker has closed the coordinator's connection, too", func() bool { return network.Closed(heartbeatKey) })
	f.untilPolled(consumer)
	for until := time.Now().Add(idle); time.Now().Before(until); {
		f.fetch(consumer, 1, 300*time.Millisecond)
	}
	if lost := consumer.Health().SessionsLost; lost != 1 {
		t.Errorf("%d sessions were lost", lost)
	}
	kafkatest.Produce(t, f.client, queue.Topic, "after")
	next := f.take(consumer, 1)
	if string(next[0].Value) != "after" || next[0].Delivery != 1 {
		t.Errorf("delivered: %s, delivery %d", next[0].Value, next[0].Delivery)
	}
	f.acceptAll(consumer, next)
	if health := consumer.Health(); health.Membership != sharequeue.Member || health.Acknowledgements.Accepted != 2 {
		t.Errorf("health is %+v", health)
	}
	if lines := log.Take(); len(lines) > 0 {
		t.Errorf("logged: %q", lines)
	}
}
