package schemas

// A RecordName is the short name of a record: TaskQueued, TaskStarted, …
type RecordName string

// Namespace is that of every record.
const Namespace = "io.taskflow.events"

// Subject is the registry's subject for the record, whatever topic it is written to: its full name (RecordNameStrategy).
func (name RecordName) Subject() string { return Namespace + "." + string(name) }

// A Record is what the value of a topic's record holds: a pointer to one of the generated structs.
type Record interface {
	RecordName() RecordName
}

// An Event is a [Record] that tells what happened to a task.
type Event interface {
	Record
	EventHead() *Head
}

// EventHead gives the fields that every event begins with.
func (head *Head) EventHead() *Head { return head }
