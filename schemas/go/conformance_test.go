package schemas

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// The vectors are described in schemas/conformance/README.md.

type foldVectors struct {
	Cases []struct {
		Name       string
		Given      []recordedVector
		Then       json.RawMessage
		Timeline   []string
		NotCounted []string
	}
}

type recordedVector struct {
	Event      json.RawMessage
	Topic      string
	Partition  int32
	Offset     int64
	AppendedAt int64
}

type codecVectors struct {
	Records []struct {
		Name     string
		SchemaID uint32
		Record   json.RawMessage
		Value    string
	}
	Evolved []struct {
		Name         string
		SchemaID     uint32
		WriterSchema json.RawMessage
		Value        string
		Record       json.RawMessage
	}
	Undecodable []struct {
		Name     string
		SchemaID uint32
		Event    RecordName
		Value    string
	}
}

func TestFoldVectors(t *testing.T) {
	for _, file := range []string{"fold.json", "fold-random.json"} {
		var vectors foldVectors
		readVectors(t, file, &vectors)
		for _, vector := range vectors.Cases {
			t.Run(vector.Name, func(t *testing.T) {
				given := make([]RecordedEvent, len(vector.Given))
				for i, recorded := range vector.Given {
					given[i] = RecordedEvent{
						Event:      recordFromJSON(t, recorded.Event).(Event),
						Topic:      recorded.Topic,
						Partition:  recorded.Partition,
						Offset:     recorded.Offset,
						AppendedAt: recorded.AppendedAt,
					}
				}
				state := foldAll(given)
				sameJSON(t, "state", state, vector.Then)
				backwards := slices.Clone(given)
				slices.Reverse(backwards)
				sameJSON(t, "state of the events backwards", foldAll(backwards), vector.Then)
				sameJSON(t, "state merged from those of the events", mergeAll(t, backwards), vector.Then)
				order, notCounted := []string{}, []string{}
				for _, line := range Timeline(state.History) {
					order = append(order, line.EventID)
					if !line.Counted {
						notCounted = append(notCounted, line.EventID)
					}
				}
				if !slices.Equal(order, vector.Timeline) {
					t.Errorf("timeline is %v, not %v", order, vector.Timeline)
				}
				if !slices.Equal(notCounted, vector.NotCounted) {
					t.Errorf("not counted are %v, not %v", notCounted, vector.NotCounted)
				}
			})
		}
	}
}

func TestCodecVectors(t *testing.T) {
	var vectors codecVectors
	readVectors(t, "codec.json", &vectors)
	for _, vector := range vectors.Records {
		t.Run(vector.Name, func(t *testing.T) {
			record := recordFromJSON(t, vector.Record)
			codec := codecOf(t, record.RecordName(), vector.SchemaID)
			value, err := codec.Encode(record)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(value); got != vector.Value {
				t.Errorf("value is %s, not %s", got, vector.Value)
			}
			sameRecord(t, codec, vector.Value, vector.Record)
			if name := codec.NameOf(value); name != record.RecordName() {
				t.Errorf("name is %q, not %q", name, record.RecordName())
			}
		})
	}
	for _, vector := range vectors.Evolved {
		t.Run(vector.Name, func(t *testing.T) {
			codec := codecOf(t, "", 0)
			if _, err := codec.Learn(vector.SchemaID, string(vector.WriterSchema)); err != nil {
				t.Fatal(err)
			}
			sameRecord(t, codec, vector.Value, vector.Record)
		})
	}
	for _, vector := range vectors.Undecodable {
		t.Run("refuses a value: "+vector.Name, func(t *testing.T) {
			codec := codecOf(t, vector.Event, vector.SchemaID)
			_, err := codec.Decode(fromHex(t, vector.Value))
			var undecodable *UndecodableError
			if !errors.As(err, &undecodable) {
				t.Errorf("error is %v, not an UndecodableError", err)
			}
		})
	}
}

func foldAll(given []RecordedEvent) *TaskState {
	var state *TaskState
	for _, recorded := range given {
		state = Evolve(state, recorded)
	}
	return state
}

func mergeAll(t *testing.T, given []RecordedEvent) *TaskState {
	t.Helper()
	state := Evolve(nil, given[0])
	for _, recorded := range given[1:] {
		merged, err := Merge(Evolve(nil, recorded), state)
		if err != nil {
			t.Fatal(err)
		}
		state = merged
	}
	return state
}

func readVectors(t *testing.T, file string, vectors any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "conformance", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, vectors); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func codecOf(t *testing.T, name RecordName, id uint32) *Codec {
	t.Helper()
	ids := map[RecordName]uint32{}
	if name != "" {
		ids[name] = id
	}
	codec, err := NewCodec(ids)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// recordFromJSON reads a record as the vectors write it: with its name in "event", and bytes in hexadecimal.
func recordFromJSON(t *testing.T, text json.RawMessage) Record {
	t.Helper()
	var fields map[string]any
	decodeNumbers(t, text, &fields)
	record := newRecord(RecordName(fields["event"].(string)))
	if record == nil {
		t.Fatalf("the vector is of %v, which is no record", fields["event"])
	}
	delete(fields, "event")
	convertBytes(record, fields, func(text any) any { return fromHex(t, text.(string)) })
	plain, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(record); err != nil {
		t.Fatal(err)
	}
	return record
}

func sameRecord(t *testing.T, codec *Codec, value string, want json.RawMessage) {
	t.Helper()
	record, err := codec.Decode(fromHex(t, value))
	if err != nil {
		t.Fatal(err)
	}
	if expected := recordFromJSON(t, want); !reflect.DeepEqual(record, expected) {
		t.Errorf("record is %+v, not %+v", record, expected)
	}
}

func convertBytes(record Record, fields map[string]any, convert func(any) any) {
	if _, isPoison := record.(*PoisonRecord); !isPoison {
		return
	}
	for _, name := range []string{"key", "value"} {
		if fields[name] != nil {
			fields[name] = convert(fields[name])
		}
	}
}

func sameJSON(t *testing.T, what string, got any, want json.RawMessage) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var gotFields, wantFields map[string]any
	decodeNumbers(t, text, &gotFields)
	decodeNumbers(t, want, &wantFields)
	for name, value := range wantFields {
		if fmt.Sprint(gotFields[name]) != fmt.Sprint(value) {
			t.Errorf("%s: %s is %v, not %v", what, name, gotFields[name], value)
		}
	}
	if len(gotFields) != len(wantFields) {
		t.Errorf("%s has %d fields, not %d", what, len(gotFields), len(wantFields))
	}
}

// decodeNumbers keeps integers beyond what a float64 holds.
func decodeNumbers(t *testing.T, text []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	value, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
