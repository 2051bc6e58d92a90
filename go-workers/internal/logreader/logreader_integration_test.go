package logreader_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/kafkatest"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/logreader"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/recordbatch"
)

func TestIntegrationARangeOfAPartition(t *testing.T) {
	client := kafkatest.Client(t, kafkatest.Brokers(t))
	topic := kafkatest.Name("test.log")
	kafkatest.CreateTopic(t, client, topic, 2)
	reader := logreader.New(client)
	if end, err := reader.End(t.Context(), topic, 0); err != nil || end != 0 {
		t.Fatalf("an empty partition ends at %d, %v", end, err)
	}
	large := strings.Repeat("x", 900_000) // several fetches
	var values []string
	for i := range 20 {
		values = append(values, fmt.Sprint(i, large))
	}
	for _, value := range values {
		kafkatest.Produce(t, client, topic, value)
	}
	ends, err := reader.Ends(t.Context(), topic)
	if err != nil || len(ends) != 2 || ends[0] != 20 || ends[1] != 0 {
		t.Fatalf("the ends are %v, %v", ends, err)
	}
	var read []recordbatch.Record
	if err := reader.Read(t.Context(), topic, 0, 3, 18, func(record recordbatch.Record) { read = append(read, record) }); err != nil {
		t.Fatal(err)
	}
	if len(read) != 15 || read[0].Offset != 3 || read[14].Offset != 17 || string(read[14].Value) != values[17] {
		t.Fatalf("%d records were read, from %d to %d", len(read), read[0].Offset, read[len(read)-1].Offset)
	}
	at, err := reader.OffsetAt(t.Context(), topic, 0, read[0].Timestamp)
	if err != nil || at > 3 {
		t.Errorf("the offset of the fourth record's time is %d, %v", at, err)
	}
	if at, err := reader.OffsetAt(t.Context(), topic, 0, read[14].Timestamp+3_600_000); err != nil || at != 20 {
		t.Errorf("the offset of a time to come is %d, %v", at, err)
	}
}

func TestIntegrationWhatIsNotThereIsSaid(t *testing.T) {
	client := kafkatest.Client(t, kafkatest.Brokers(t))
	topic := kafkatest.Name("test.log")
	kafkatest.CreateTopic(t, client, topic, 1)
	reader := logreader.New(client)
	kafkatest.Produce(t, client, topic, "a", "b", "c")
	none := func(record recordbatch.Record) { t.Errorf("offset %d was read", record.Offset) }
	var gap *logreader.GapError
	if err := reader.Read(t.Context(), topic, 0, 7, 9, none); !errors.As(err, &gap) || gap.Offset != 7 {
		t.Errorf("behind the end: %v", err)
	}
	if _, err := reader.End(t.Context(), kafkatest.Name("test.missing"), 0); err == nil {
		t.Error("a topic that is missing has an end")
	}
	if at, found, err := reader.LastUnder(t.Context(), topic, 0, 0); err != nil || found {
		t.Errorf("before the first leader something was written at %d, %v", at, err)
	}
}
