package appender_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestIntegrationThrottledItWaits(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	topic := topic(t, brokers)
	admin := kafkatest.Client(t, brokers)
	clientID := kafkatest.Name("throttled")
	kafkatest.SetQuota(t, admin, clientID, "producer_byte_rate", 3_000)
	network, throttles := kafkatest.NewNetwork(), &kafkatest.Throttles{}
	a := open(t, brokers, appender.Options{}, kgo.ClientID(clientID), kgo.Dialer(network.Dial), kgo.WithHooks(throttles))
	var texts []string
	next := func() *appender.Record {
		texts = append(texts, fmt.Sprint(len(texts), strings.Repeat(".", 3_000)))
		return &appender.Record{Topic: topic, Value: []byte(texts[len(texts)-1])}
	}
	kafkatest.Until(t, "it is throttled", func() bool {
		if err := a.AppendAndWait(t.Context(), next()); err != nil {
			t.Fatal(err)
		}
		return throttles.Count() > 0
	})
	// The last pause is longer than the client tries by itself.
	kafkatest.Until(t, "it is throttled for longer than a delivery may take", func() bool {
		if err := a.AppendAndWait(t.Context(), next(), next(), next()); err != nil {
			t.Fatal(err)
		}
		return throttles.Longest() > 5*time.Second
	})
	if err := a.AppendAndWait(t.Context(), next()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, brokers, topic, len(texts)); !slices.Equal(got, texts) {
		t.Errorf("the log holds %d records of %d, or in another order", len(got), len(texts))
	}
	// Nothing was sent again, and nothing before its time: it would have been throttled once more.
	if end := kafkatest.EndOffset(t, admin, topic); end != int64(len(texts)) {
		t.Errorf("the log holds %d records, %d were appended", end, len(texts))
	}
	t.Logf("%d records in %d requests, throttled %d times, for %v at most", len(texts), network.Seen(produceKey), throttles.Count(), throttles.Longest())
}
