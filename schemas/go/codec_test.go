package schemas

import (
	"bytes"
	"errors"
	"testing"
)

func TestDecodeOfAnUnknownSchema(t *testing.T) {
	codec := codecOf(t, "", 0)
	value := []byte{0, 0, 0, 0, 7, 1, 2, 3}
	_, err := codec.Decode(value)
	var unknown *UnknownSchemaError
	if !errors.As(err, &unknown) || unknown.SchemaID != 7 {
		t.Errorf("error is %v, not an UnknownSchemaError of schema 7", err)
	}
	if name := codec.NameOf(value); name != "" {
		t.Errorf("name is %q, not empty", name)
	}
}

func TestDecodeOfARecordOfALaterVersion(t *testing.T) {
	codec := codecOf(t, "", 0)
	schema := `{"type":"record","name":"TaskPraised","namespace":"io.taskflow.events","fields":[]}`
	name, err := codec.Learn(10, schema)
	if err != nil || name != "io.taskflow.events.TaskPraised" {
		t.Fatalf("learned %q (%v)", name, err)
	}
	_, err = codec.Decode([]byte{0, 0, 0, 0, 10})
	var unknown *UnknownRecordError
	if !errors.As(err, &unknown) || unknown.RecordName != name {
		t.Errorf("error is %v, not an UnknownRecordError of %s", err, name)
	}
}

func TestLearnRefusesAnIncompatibleSchema(t *testing.T) {
	codec := codecOf(t, "", 0)
	if _, err := codec.Learn(11, `{"type":"record","name":"TaskStarted","namespace":"io.taskflow.events","fields":[]}`); err == nil {
		t.Error("a schema without taskId was learned")
	}
}

func TestEncodeWithoutASchemaID(t *testing.T) {
	if _, err := codecOf(t, "", 0).Encode(&TaskStarted{}); err == nil {
		t.Error("a record without a schema id was encoded")
	}
}

// An array that claims 2⁵¹ items must be refused before they are allocated.
func TestDecodeOfAnArrayLongerThanTheValue(t *testing.T) {
	codec := codecOf(t, NameTaskTypeRegistered, 1)
	untilArray := make([]byte, 18) // a 0 for each number and text before notRetryable, eight for the double
	claim := []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x08}
	value := bytes.Join([][]byte{{0, 0, 0, 0, 1}, untilArray, claim}, nil)
	_, err := codec.Decode(value)
	var undecodable *UndecodableError
	if !errors.As(err, &undecodable) {
		t.Errorf("error is %v, not an UndecodableError", err)
	}
}

func TestDecodeRefusesAValueCutAnywhere(t *testing.T) {
	codec := codecOf(t, NameTaskHeartbeat, 1)
	value, err := codec.Encode(&TaskHeartbeat{Task: &Task{Payload: "{}", Tags: []string{"a"}}})
	if err != nil {
		t.Fatal(err)
	}
	for end := range len(value) {
		if _, err := codec.Decode(value[:end]); err == nil {
			t.Errorf("a value cut at %d of %d bytes was decoded", end, len(value))
		}
	}
}

func TestMergeRefusesTwoTasks(t *testing.T) {
	one := Evolve(nil, RecordedEvent{Event: &TaskStarted{Head: Head{TaskID: "one"}}})
	other := Evolve(nil, RecordedEvent{Event: &TaskStarted{Head: Head{TaskID: "other"}}})
	if _, err := Merge(one, other); err == nil {
		t.Error("the states of two tasks were merged")
	}
}

func BenchmarkEncodeTaskStarted(b *testing.B) {
	codec, _ := NewCodec(map[RecordName]uint32{NameTaskStarted: 1})
	record := benchmarkRecord()
	for b.Loop() {
		if _, err := codec.Encode(record); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeTaskStarted(b *testing.B) {
	codec, _ := NewCodec(map[RecordName]uint32{NameTaskStarted: 1})
	value, err := codec.Encode(benchmarkRecord())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := codec.Decode(value); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkRecord() *TaskStarted {
	return &TaskStarted{
		Head: Head{
			TaskID:     "01999999-0000-7000-8000-000000000001",
			Attempt:    1,
			WorkerID:   "go-worker-1.4711.k3x9",
			EventID:    "01999999-1000-7000-8000-000000000001",
			UserID:     "00000000-0000-4000-8000-000000000001",
			Type:       "file_hash",
			Priority:   "normal",
			OccurredAt: 1_760_000_000_000,
		},
		Delivery: 1, Starts: 1, LeaseMs: 30_000, QueueOffset: 4711,
	}
}
