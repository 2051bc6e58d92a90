// Package worker runs tasks: it takes records from the queues of task types, runs their handlers in slots, and records on the log
// what became of them. PROTOCOL of the project says how; package protocol decides, this one does.
package worker
