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

func TestIntegrationThrottledFetchesLoseNothing(t *testing.T) {
	for name, quota := range map[string]float64{"consumer_byte_rate": 2_000, "request_percentage": 1} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			clientID := kafkatest.Name("throttled")
			kafkatest.SetQuota(t, f.client, clientID, name, quota)
			queue := kafkatest.NewQueue(t, f.client, kafkatest.QueueOptions{Lock: 4 * time.Second})
			throttled := kafkatest.Client(t, kafkatest.Brokers(t), kgo.ClientID(clientID))
			consumer := f.open(queue, func(config *sharequeue.Config) {
				config.Client, config.Options = throttled, []kgo.Opt{kgo.ClientID(clientID)}
			})
			kafkatest.Produce(t, f.client, queue.Topic, "kept")
			kept := f.take(consumer, 1)
			var texts, seen []string
			again := false // a record whose first delivery was in an answer that was throttled
			renewAt := time.Now()
			kafkatest.Until(t, "a fetch was throttled, and all records have come", func() bool {
				if len(seen) == len(texts) {
					texts = append(texts, fmt.Sprint(len(texts), strings.Repeat(".", 3_000)))
					kafkatest.Produce(t, f.client, queue.Topic, texts[len(texts)-1])
				}
				if time.Now().After(renewAt) {
					if lost := consumer.Renew(t.Context(), kept); len(lost) > 0 {
						t.Fatal("the lock of a record that is renewed was lost")
					}
					renewAt = time.Now().Add(time.Second)
				}
				records := f.fetch(consumer, 1, 300*time.Millisecond)
				for _, record := range records {
					again = again || record.Delivery > 1
				}
				seen = append(seen, values(records)...)
				f.acceptAll(consumer, records)
				return again && len(seen) == len(texts)
			})
			if !slices.Equal(sorted(seen), sorted(texts)) {
				t.Errorf("the records that came are others than those produced")
			}
			f.acceptAll(consumer, kept)
			if health := consumer.Health(); health.SessionsLost != 0 || health.Membership != sharequeue.Member {
				t.Errorf("health: %+v", health)
			}
		})
	}
}
