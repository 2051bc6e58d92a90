// Package schemas is the contract of TaskFlow Hub in Go: the records that lie on its topics, the codec that reads and
// writes them, and the fold that says what a task's events mean.
//
// The records are generated from schemas/avro. The codec and the fold are the counterparts of the TypeScript package
// @taskflow/schemas; both are held to the vectors in schemas/conformance.
package schemas
