package protocol

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// vectors runs the cases of one of the files that every implementation of the protocol is held to.
func vectors[Given any](t *testing.T, file string, decide func(t *testing.T, given Given) any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../schemas/conformance/decisions", file+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Cases []struct {
			Name  string
			Given Given
			Then  json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &suite); err != nil {
		t.Fatal(err)
	}
	for _, one := range suite.Cases {
		t.Run(one.Name, func(t *testing.T) {
			got, err := json.Marshal(decide(t, one.Given))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(plain(t, got), plain(t, one.Then)) {
				t.Errorf("decided %s, should be %s", got, one.Then)
			}
		})
	}
}

func plain(t *testing.T, text []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// A vectorEvent is a record with its name.
type vectorEvent struct{ schemas.Record }

func (e *vectorEvent) UnmarshalJSON(text []byte) error {
	var named struct{ Event schemas.RecordName }
	if err := json.Unmarshal(text, &named); err != nil || named.Event == "" {
		return err
	}
	records := map[schemas.RecordName]schemas.Record{
		schemas.NameTaskQueued: &schemas.TaskQueued{}, schemas.NameTaskScheduled: &schemas.TaskScheduled{},
		schemas.NameTaskStarted: &schemas.TaskStarted{}, schemas.NameTaskHeartbeat: &schemas.TaskHeartbeat{},
		schemas.NameTaskSucceeded: &schemas.TaskSucceeded{}, schemas.NameTaskRetryScheduled: &schemas.TaskRetryScheduled{},
		schemas.NameTaskFailed: &schemas.TaskFailed{}, schemas.NameTaskCancelled: &schemas.TaskCancelled{},
		schemas.NameTaskCancelRequested: &schemas.TaskCancelRequested{}, schemas.NameTypePaused: &schemas.TypePaused{},
		schemas.NameTypeResumed: &schemas.TypeResumed{},
	}
	e.Record = records[named.Event]
	return json.Unmarshal(text, e.Record)
}

// withName gives a record as the vectors write it.
func withName(t *testing.T, event schemas.Event) map[string]any {
	t.Helper()
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	fields := plain(t, text).(map[string]any)
	fields["event"] = event.RecordName()
	return fields
}

// absent writes a decision without its empty fields, as the vectors do; an empty one is null.
func absent(t *testing.T, decision any, empty bool) any {
	t.Helper()
	if empty {
		return nil
	}
	text, err := json.Marshal(decision)
	if err != nil {
		t.Fatal(err)
	}
	return plain(t, text)
}

func TestSuspicionVectors(t *testing.T) {
	vectors(t, "suspicion", func(t *testing.T, given struct {
		Record         DeliveredFacts
		Known          PartitionKnowledge
		MaxRecordLocks int64
	}) any {
		values := Defaults
		values.MaxRecordLocks = given.MaxRecordLocks
		suspicion := SuspicionOf(given.Record, given.Known, values)
		return absent(t, suspicion, !suspicion.Any())
	})
}

func TestLookBackVectors(t *testing.T) {
	vectors(t, "look-back", func(_ *testing.T, given struct {
		Record    LookBackSubject
		Suspicion Suspicion
		Known     LookBackKnowledge
	}) any {
		return LookBackFrom(given.Record, given.Suspicion, given.Known, Defaults)
	})
}

func TestFindingsVectors(t *testing.T) {
	vectors(t, "findings", func(t *testing.T, given struct {
		Record struct {
			Queued    schemas.TaskQueued
			Partition int32
			Offset    int64
		}
		Events []json.RawMessage
	}) any {
		var findings Findings
		for _, text := range given.Events {
			event, offset := eventAt(t, text)
			findings.Add(CheckedRecord{&given.Record.Queued, given.Record.Partition, given.Record.Offset}, event, offset)
		}
		out := absent(t, findings, false).(map[string]any)
		if findings.Settled == "" {
			out["settled"] = nil
		}
		return out
	})
}

// eventAt reads an event with its offset in the log.
func eventAt(t *testing.T, text json.RawMessage) (schemas.Event, int64) {
	t.Helper()
	var at struct {
		Event  vectorEvent
		Offset int64
	}
	if err := json.Unmarshal(text, &at); err != nil {
		t.Fatal(err)
	}
	return at.Event.Record.(schemas.Event), at.Offset
}

func TestDeliveredCheckVectors(t *testing.T) {
	vectors(t, "delivered-check", func(t *testing.T, given struct {
		Findings Findings
		Context  CheckContext
	}) any {
		decision := DecideDelivered(given.Findings, given.Context, Defaults)
		out := absent(t, decision, false).(map[string]any)
		if decision.Action == Run {
			out["alone"] = decision.Alone
		}
		return out
	})
}

func TestClaimVectors(t *testing.T) {
	vectors(t, "claim", func(_ *testing.T, given struct {
		Findings  Findings
		LockHolds bool
	}) any {
		return DecideClaim(given.Findings, given.LockHolds)
	})
}

func TestHandOverVectors(t *testing.T) {
	vectors(t, "hand-over", func(t *testing.T, given struct {
		Run struct {
			Since, Offset int64
			Hold          Hold
		}
		Now, Highest int64
	}) any {
		handOver := DecideHandOver(given.Run.Since, given.Run.Offset, given.Run.Hold, given.Now, given.Highest, Defaults)
		return absent(t, handOver, handOver.Reason == "")
	})
}

func TestOvertakenVectors(t *testing.T) {
	vectors(t, "overtaken", func(_ *testing.T, given struct {
		Event    vectorEvent
		Run      schemas.TaskQueued
		WorkerID string
	}) any {
		return IsOvertakenBy(given.Event.Record.(schemas.Event), given.Run.Head, given.WorkerID)
	})
}

func TestReportVectors(t *testing.T) {
	vectors(t, "report", func(_ *testing.T, given struct {
		Outcome string
		Hold    Hold
		Now     int64
	}) any {
		return DecideReport(given.Outcome == "success", given.Hold, given.Now)
	})
}

func TestUpkeepVectors(t *testing.T) {
	vectors(t, "upkeep", func(_ *testing.T, given struct {
		Hold                      Hold
		RenewedAt, WrittenAt, Now int64
	}) any {
		return map[string]bool{
			"renew":     given.Hold.IsRenewalDue(given.RenewedAt, given.Now, Defaults),
			"heartbeat": given.Hold.IsHeartbeatDue(given.WrittenAt, given.Now, Defaults),
		}
	})
}

func TestHeartbeatAcknowledgedVectors(t *testing.T) {
	vectors(t, "heartbeat-acknowledged", func(_ *testing.T, given struct {
		Hold        Hold
		SentAt, Now int64
	}) any {
		return given.Hold.HeartbeatAcknowledged(given.SentAt, given.Now, Defaults)
	})
}

func TestStopVectors(t *testing.T) {
	vectors(t, "stop", func(_ *testing.T, given struct {
		Hold Hold
		Now  int64
	}) any {
		return DecideStop(given.Hold.LeaseUntil != nil, given.Hold.IsHeld(given.Now))
	})
}

func TestRetryVectors(t *testing.T) {
	vectors(t, "retry", func(_ *testing.T, given struct {
		Queued schemas.TaskQueued
		Error  schemas.TaskError
		Random *float64
	}) any {
		delay, again := decideRetry(&given.Queued, given.Error, given.Random)
		if !again {
			return map[string]any{"kind": "final"}
		}
		return map[string]any{"kind": "retry", "delayMs": delay}
	})
}

func TestExpiryVectors(t *testing.T) {
	vectors(t, "expiry", func(_ *testing.T, given struct {
		ExpiresAt       *int64
		Attempt, Starts int32
		At              int64
	}) any {
		queued := &schemas.TaskQueued{Head: schemas.Head{Attempt: given.Attempt}, Task: schemas.Task{ExpiresAt: given.ExpiresAt}}
		return Expired(queued, given.Starts, given.At) != nil
	})
}

func TestControlVectors(t *testing.T) {
	vectors(t, "control", func(_ *testing.T, given struct {
		Records []struct {
			Key    string
			Record *vectorEvent
		}
		Runs []schemas.Head
	}) any {
		control := NewControl()
		for _, one := range given.Records {
			if one.Record == nil {
				control.Apply(one.Key, nil)
			} else {
				control.Apply(one.Key, one.Record.Record)
			}
		}
		cancelled := []bool{}
		for _, run := range given.Runs {
			cancelled = append(cancelled, control.IsCancelled(&run))
		}
		paused := append([]string{}, slices.Sorted(maps.Keys(control.paused))...)
		return map[string]any{"cancelled": cancelled, "paused": paused}
	})
}

func TestFetchOrderVectors(t *testing.T) {
	vectors(t, "fetch-order", func(_ *testing.T, given struct{ Rounds int }) any {
		var orders [][]string
		for round := range given.Rounds {
			orders = append(orders, FetchOrder(round))
		}
		return orders
	})
}

func TestBuiltEventsVectors(t *testing.T) {
	type stamp struct {
		Now               int64
		EventID, WorkerID string
	}
	vectors(t, "built-events", func(t *testing.T, given struct {
		Build   string
		Queued  schemas.TaskQueued
		Stamp   stamp
		LeaseMs int64
		Message string
		Random  *float64
		Outcome struct {
			Value   string
			Blob    *StoredResult
			Figures *string
			Preview *string
			Error   *schemas.TaskError
		}
		Context struct {
			stamp
			Start
			DurationMs    int64
			ResultStorage string
			ResultTTLMs   *int64
		}
	}) any {
		c := given.Context
		switch given.Build {
		case "started":
			return withName(t, Started(&given.Queued, c.Start, Stamp(c.stamp)))
		case "outcome":
			return withName(t, DecideOutcome(&given.Queued, Outcome(given.Outcome), OutcomeContext{
				Stamp: Stamp(c.stamp), DurationMs: c.DurationMs, ResultStorage: c.ResultStorage, ResultTTLMs: c.ResultTTLMs, Retry: given.Random,
			}))
		case "hand-over":
			return withName(t, HandedOver(&given.Queued, given.LeaseMs, Stamp(given.Stamp)))
		case "worker-stopped":
			return withName(t, WorkerStopped(&given.Queued, given.Message, Stamp(given.Stamp)))
		case "worker-lost":
			return withName(t, WorkerLost(given.Queued.Head, given.Queued.Failures, given.Message, Stamp(given.Stamp)))
		}
		t.Fatalf("there is no event %q", given.Build)
		return nil
	})
}
