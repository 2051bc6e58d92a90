package schemas_test

import (
	"fmt"

	schemas "github.com/taskflow-hub/taskflow-hub/schemas/go"
)

// The ids are those under which the schema registry holds the schemas of this version.
func ExampleCodec() {
	codec, err := schemas.NewCodec(map[schemas.RecordName]uint32{schemas.NameTaskCancelled: 42})
	if err != nil {
		panic(err)
	}
	value, err := codec.Encode(&schemas.TaskCancelled{Head: schemas.Head{TaskID: "01999999-0000-7000-8000-000000000001"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(value[:5], codec.NameOf(value))
	record, err := codec.Decode(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(record.(*schemas.TaskCancelled).TaskID)
	// Output:
	// [0 0 0 0 42] TaskCancelled
	// 01999999-0000-7000-8000-000000000001
}

// The events may come in any order: here the start is read before the queue is.
func ExampleEvolve() {
	head := schemas.Head{TaskID: "01999999-0000-7000-8000-000000000001", Attempt: 1, Type: "file_hash", Priority: "normal"}
	queued, started, failed := head, head, head
	queued.EventID, started.EventID, failed.EventID = "1", "2", "3"
	var state *schemas.TaskState
	for offset, event := range []schemas.Event{
		&schemas.TaskStarted{Head: started},
		&schemas.TaskQueued{Head: queued},
		&schemas.TaskFailed{Head: failed, Error: schemas.TaskError{Code: "CONNECT_FAILED"}},
	} {
		state = schemas.Evolve(state, schemas.RecordedEvent{Event: event, Offset: int64(offset)})
		fmt.Println(state.Status)
	}
	fmt.Println(state.Error.Code)
	// Output:
	// running
	// running
	// failed
	// CONNECT_FAILED
}
