package sharequeue

import (
	"sync/atomic"
	"time"
)

// A Hold is what a consumer has on one partition of its queue: it begins when the broker opens the consumer's session for
// the partition and ends, once and for all, when that session or the partition's leader is lost. What was delivered on it is
// free for others from then on.
type Hold struct {
	// ID ascends within the process.
	ID        int64
	Topic     string
	Partition int32
	BrokerID  int32
	// LeaderEpoch is the partition's, asked of the leader itself when the session was open; -1 where it did not say. A
	// delivered record whose own epoch is smaller was appended under an earlier leader; a restart of a broker makes a new
	// leader, too, and it forgets locks and delivery counts.
	LeaderEpoch int32
	OpenedAt    time.Time

	owner *sharePartition
	lost  atomic.Bool
}

// Lost says whether the hold is over.
func (hold *Hold) Lost() bool { return hold.lost.Load() }

var holds atomic.Int64

// A Delivered is a record that the broker has locked for this consumer.
type Delivered struct {
	Topic     string
	Partition int32
	Offset    int64
	// Key and Value are parts of the fetch: keeping one keeps the fetch in memory.
	Key, Value []byte
	// AppendedAt is the broker's time, in milliseconds since 1970.
	AppendedAt  int64
	LeaderEpoch int32
	// Delivery says how often the broker has handed it out, this time included. A broker that restarted counts from 1 again.
	Delivery int32

	hold        *Hold
	batch       *acquiredBatch
	lockedUntil atomic.Int64 // by monotonic
	// Likewise: when its fetch left; and at which fetches before it was not to be had (of a later delivery only).
	fetchedAt     int64
	unavailableAt []int64
	lock          time.Duration
	settled       bool // guarded by the session's mutex; accepted, released or rejected: what comes first counts
}

// Hold is what it was delivered on.
func (record *Delivered) Hold() *Hold { return record.hold }

// LockedUntil is counted on the monotonic clock from before the request left: the broker's lock lasts at least so long.
func (record *Delivered) LockedUntil() time.Time {
	return began.Add(time.Duration(record.lockedUntil.Load()))
}

// FetchedAt is when the fetch left that brought it.
func (record *Delivered) FetchedAt() time.Time { return began.Add(time.Duration(record.fetchedAt)) }

// Lock is how long the broker locks a record of the queue, as it said with this one.
func (record *Delivered) Lock() time.Duration { return record.lock }

// UnavailableAt are ascending times of the last minutes at which this queue asked the partition, and was shown that the record was
// not to be had: somebody else held it, or it was not there yet. Of a first delivery none are given.
func (record *Delivered) UnavailableAt() []time.Time {
	times := make([]time.Time, len(record.unavailableAt))
	for i, at := range record.unavailableAt {
		times[i] = began.Add(time.Duration(at))
	}
	return times
}

// began is where this process's monotonic time is counted from.
var began = time.Now()

// monotonic is the time since began, in nanoseconds, whatever happens to the wall clock.
func monotonic() int64 { return int64(time.Since(began)) }
