package appender_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestIntegrationTwoBrokers(t *testing.T) {
	pair := kafkatest.StartPair(t, nil)
	brokers := []string{pair.First.Address}
	admin := kafkatest.Client(t, brokers)

	t.Run("take over from each other", func(t *testing.T) {
		topic := kafkatest.Name("test.append")
		kafkatest.CreateTopic(t, admin, topic, 1)
		kafkatest.Place(t, admin, topic, 2, 1)
		a := open(t, brokers, appender.Options{})
		var sent []string
		more := func(count int) {
			t.Helper()
			for range count {
				value := fmt.Sprintf("v%d", len(sent))
				if err := a.AppendAndWait(t.Context(), &appender.Record{Topic: topic, Value: []byte(value)}); err != nil {
					t.Error(err)
				}
				sent = append(sent, value)
			}
		}
		more(50)
		for _, end := range []func(*kafkatest.Broker){(*kafkatest.Broker).Stop, (*kafkatest.Broker).Kill} {
			end(pair.Second)
			more(50)
			if leaders := kafkatest.Leaders(t, admin, topic); leaders[0] != 1 {
				t.Fatalf("broker %d leads", leaders[0])
			}
			pair.Second.Start()
			var appending sync.WaitGroup
			appending.Go(func() { more(50) })
			kafkatest.Place(t, admin, topic, 2, 1)
			appending.Wait()
			more(50)
		}
		if got := read(t, brokers, topic, len(sent)); !slices.Equal(got, sent) {
			t.Errorf("the log holds %v", got)
		}
	})

	t.Run("acknowledge nothing while a replica is missing that is asked for", func(t *testing.T) {
		topic := kafkatest.Name("test.append")
		kafkatest.CreateTopic(t, admin, topic, 1)
		kafkatest.Place(t, admin, topic, 1, 2)
		kafkatest.Configure(t, admin, topic, "min.insync.replicas", "2")
		network := kafkatest.NewNetwork()
		a := open(t, brokers, appender.Options{}, kgo.Dialer(network.Dial))
		records, want := numbered(topic, 2)
		if err := a.AppendAndWait(t.Context(), records[0]); err != nil {
			t.Fatal(err)
		}
		pair.Second.Stop()
		result := make(chan error, 1)
		records[1].Done = func(err error) { result <- err }
		before := network.Seen(produceKey)
		if err := a.Append(records[1]); err != nil {
			t.Fatal(err)
		}
		kafkatest.Until(t, "it was sent several times", func() bool { return network.Seen(produceKey) >= before+4 })
		if len(result) > 0 || a.Pending() != 1 {
			t.Errorf("acknowledged without its replica: %v", <-result)
		}
		pair.Second.Start()
		if err := <-result; err != nil {
			t.Error(err)
		}
		if got := read(t, brokers, topic, 2); !slices.Equal(got, want) {
			t.Errorf("the log holds %v", got)
		}
	})
}
