package appender_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/appender"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

const produceKey = 0

func open(t *testing.T, brokers []string, options appender.Options, client ...kgo.Opt) *appender.Appender {
	t.Helper()
	options.Logger = kafkatest.Logger()
	a := appender.New(kafkatest.Client(t, brokers, append(appender.ClientOptions(), client...)...), options)
	t.Cleanup(a.Close)
	return a
}

// read gives the values of partition 0, without repeated ones.
func read(t *testing.T, brokers []string, topic string, count int) []string {
	t.Helper()
	reader := kafkatest.Client(t, brokers, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	var values []string
	kafkatest.Until(t, fmt.Sprintf("%d records are read", count), func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		reader.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			if value := string(record.Value); !slices.Contains(values, value) {
				values = append(values, value)
			}
		})
		return len(values) >= count
	})
	return values
}

func numbered(topic string, count int) (records []*appender.Record, values []string) {
	for i := range count {
		values = append(values, fmt.Sprintf("v%d", i))
		records = append(records, &appender.Record{Topic: topic, Key: "key", Value: []byte(values[i])})
	}
	return records, values
}

func topic(t *testing.T, brokers []string) string {
	name := kafkatest.Name("test.append")
	kafkatest.CreateTopic(t, kafkatest.Client(t, brokers), name, 1)
	return name
}

func TestIntegrationAppendsInOrder(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	topic := topic(t, brokers)
	records, want := numbered(topic, 3_000)
	if err := open(t, brokers, appender.Options{}).AppendAndWait(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	if got := read(t, brokers, topic, 3_000); !slices.Equal(got, want) {
		t.Errorf("the log holds %v", got)
	}
}

func TestIntegrationARecordThatCannotBeTakenFailsAlone(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	topic := topic(t, brokers)
	a := open(t, brokers, appender.Options{})
	errs := make(chan error, 4)
	for _, record := range []*appender.Record{
		{Topic: topic, Value: []byte("good")},
		{Topic: topic, Value: []byte(strings.Repeat("x", 2<<20))},
		{Topic: topic, Value: []byte("no such partition"), Partition: 7},
		{Topic: kafkatest.Name("absent"), Value: []byte("no such topic")},
	} {
		record.Done = func(err error) { errs <- err }
		if err := a.Append(record); err != nil {
			t.Fatal(err)
		}
	}
	if !a.Flush(t.Context()) || a.Pending() != 0 {
		t.Fatal("the flush did not end")
	}
	if err := <-errs; err != nil {
		t.Errorf("the good one: %v", err)
	}
	if err := <-errs; !appender.IsTooLarge(err) {
		t.Errorf("the large one: %v", err)
	}
	for range 2 {
		if err := <-errs; err == nil || appender.IsTooLarge(err) {
			t.Errorf("one without a partition: %v", err)
		}
	}
	if got := read(t, brokers, topic, 1); !slices.Equal(got, []string{"good"}) {
		t.Errorf("the log holds %v", got)
	}
}

func TestIntegrationNothingAcknowledgedIsLostWithAnswers(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	topic := topic(t, brokers)
	network := kafkatest.NewNetwork()
	a := open(t, brokers, appender.Options{}, kgo.Dialer(network.Dial))
	records, want := numbered(topic, 100)
	for i, record := range records {
		if i%20 == 10 {
			network.Inject([]kafkatest.Fault{kafkatest.LoseResponse, kafkatest.LoseRequest}[i/20%2], produceKey)
		}
		if err := a.AppendAndWait(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, brokers, topic, 100); !slices.Equal(got, want) {
		t.Errorf("the log holds %v", got)
	}
}

func TestIntegrationABrokerThatIsAwayForAWhile(t *testing.T) {
	broker := kafkatest.StartBroker(t, nil)
	brokers := []string{broker.Address}
	topic := topic(t, brokers)
	a := open(t, brokers, appender.Options{})
	records, want := numbered(topic, 4)
	if err := a.AppendAndWait(t.Context(), records[0]); err != nil {
		t.Fatal(err)
	}
	broker.Kill()
	var zombie atomic.Bool
	results := make(chan error, 4)
	withdrawn := &appender.Record{
		Topic: topic, Value: []byte("withdrawn"), Withdraw: func(bool) bool { return zombie.Load() }, Done: func(err error) { results <- err },
	}
	if err := a.Append(withdrawn); err != nil {
		t.Fatal(err)
	}
	for _, record := range records[1:] {
		record.Done = func(err error) { results <- err }
		if err := a.Append(record); err != nil {
			t.Fatal(err)
		}
	}
	zombie.Store(true)
	if err := <-results; !errors.Is(err, appender.ErrWithdrawn) {
		t.Errorf("what may not be said any more: %v", err)
	}
	if a.Stuck() == 0 || a.Pending() != 3 {
		t.Errorf("%d records wait, since %v", a.Pending(), a.Stuck())
	}
	broker.Start()
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := read(t, brokers, topic, 4); !slices.Equal(got, want) {
		t.Errorf("the log holds %v", got)
	}
}

func TestIntegrationTakesNoMoreThanItMayHold(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	topic := topic(t, brokers)
	network := kafkatest.NewNetwork()
	a := open(t, brokers, appender.Options{MaxPending: 2}, kgo.Dialer(network.Dial))
	records, _ := numbered(topic, 3)
	network.Freeze()
	defer network.Heal()
	for _, record := range records[:2] {
		if err := a.Append(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Append(records[2]); !errors.Is(err, appender.ErrFull) {
		t.Errorf("the third: %v", err)
	}
	network.Heal()
	if !a.Flush(t.Context()) {
		t.Error("the flush did not end")
	}
	a.Close()
	if err := a.Append(records[2]); !errors.Is(err, appender.ErrClosed) {
		t.Errorf("after the close: %v", err)
	}
}
