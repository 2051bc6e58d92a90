// Package protocol holds the pure decisions of the worker protocol: from a delivered record to its end. No clock, no random, no
// I/O: those are arguments. It is the counterpart of the TypeScript package @taskflow/core; both are held to the vectors in
// schemas/conformance.
package protocol

// Values are the numbers of the protocol. All are configurable; a worker and the orchestrator of one system must agree on those
// of a lease. Times are milliseconds.
type Values struct {
	// LockMs is how long the broker locks a record for the worker that it handed it to.
	LockMs int64
	// RenewEveryMs is how often the locks of what runs are renewed.
	RenewEveryMs int64
	// HandOverAfterMs: a run of this age is handed over, its lease moves from the broker's lock to the log.
	HandOverAfterMs int64
	// LeaseMs is how long a run is presumed alive after a heartbeat, once it is handed over.
	LeaseMs int64
	// MaxRecordLocks is how far the broker lets a partition move beyond its oldest lock (share.partition.max.record.locks).
	MaxRecordLocks int64
	// LookAgainMs is the wait in which a living worker would hand over, before a record is taken that may run elsewhere.
	LookAgainMs int64
	// LookAgainAfterForgottenMs is the same after the broker has forgotten its locks: its workers must find it again first.
	LookAgainAfterForgottenMs int64
	// AloneFromStart: from this start on (recoveries included) an attempt runs alone in its process.
	AloneFromStart int32
	// MaxStarts: after so many an attempt is given up (WORKER_LOST).
	MaxStarts int32
	// GiveBackAtDelivery: from this delivery on a record is given back through the log, because at its limit (10) the broker would
	// archive it without a word.
	GiveBackAtDelivery int32
	// CopyMarginMs is how much earlier than a record that may be a second copy the first one can have been appended.
	CopyMarginMs int64
	// BrokerClockSkewMs is how far the append times of two brokers may lie apart.
	BrokerClockSkewMs int64
}

// Defaults are the values unless they are configured.
var Defaults = Values{
	LockMs: 15_000, RenewEveryMs: 5_000, HandOverAfterMs: 10_000, LeaseMs: 30_000, MaxRecordLocks: 10_000,
	LookAgainMs: 500, LookAgainAfterForgottenMs: 2_000, AloneFromStart: 3, MaxStarts: 5, GiveBackAtDelivery: 8,
	CopyMarginMs: 300_000, BrokerClockSkewMs: 2_000,
}
