package sharequeue

import "time"

// An acquiredBatch is what the broker acquired for this member together. It keeps account of these records as one for as long as they
// are acknowledged together, and offset by offset once only some of them are, which costs it many times as much. The session's mutex
// guards it.
type acquiredBatch struct {
	first, last int64
	size        int // records that were delivered of it
	open        int // of those, not settled

	// What is settled and not yet given on to be sent, and since when the first of it is.
	settled acknowledgements
	mixed   bool // not all are accepts
	since   time.Time
}

func (b *acquiredBatch) delivered() {
	b.size++
	b.open++
}

func (b *acquiredBatch) settle(offset int64, kind ackType, now time.Time) {
	b.open--
	if b.settled.empty() {
		b.since = now
	}
	b.mixed = b.mixed || kind != ackAccept
	b.settled.add(offset, kind)
}

// giveTo gives on what is settled, and says how many records that is.
func (b *acquiredBatch) giveTo(waiting *acknowledgements) int {
	count := len(b.settled.packed)
	if whole := count == b.size && int64(b.size) == b.last-b.first+1; whole && !b.mixed {
		waiting.addRanges([]ackRange{{b.first, b.last, ackAccept}})
	} else {
		waiting.packed = append(waiting.packed, b.settled.packed...)
	}
	b.settled, b.mixed = acknowledgements{}, false
	return count
}
