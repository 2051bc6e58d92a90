package sharequeue

import (
	"slices"
	"sync/atomic"
	"time"
)

// A partitionID names a partition as share requests name it.
type partitionID struct {
	topic     [16]byte
	partition int32
}

// AcknowledgementCounts say what happened to acknowledgements since the queue was opened.
type AcknowledgementCounts struct {
	Accepted, Released, Rejected int64
	// InvalidState were refused by the broker: the lock was lost before. The record comes (or came) again.
	InvalidState int64
	// LostWithSession were not sent, because the session was lost before.
	LostWithSession int64
}

type ackCounters struct {
	accepted, released, rejected, invalidState, lostWithSession atomic.Int64
}

func (c *ackCounters) read() AcknowledgementCounts {
	return AcknowledgementCounts{
		Accepted: c.accepted.Load(), Released: c.released.Load(), Rejected: c.rejected.Load(),
		InvalidState: c.invalidState.Load(), LostWithSession: c.lostWithSession.Load(),
	}
}

// A sharePartition is one partition within a share session: the hold on it, and its acknowledgements on their way. No I/O; the
// session's mutex guards it.
//
// The broker takes the acknowledgements of a partition in one request as a whole: one record whose lock is gone makes it
// refuse all of them (INVALID_RECORD_STATE). Those are halved and sent again until the bad ones stand alone.
type sharePartition struct {
	id      partitionID
	session *session
	counts  *ackCounters
	hold    *Hold // nil: lost
	held    int   // delivered on the present hold and not settled yet
	shown   *shown

	waiting  acknowledgements
	parts    []*acquiredBatch // of which some records are settled and others not, by when the first of them was
	suspects [][]ackRange
	inFlight []ackRange
}

// settledAll says that nothing waits to be acknowledged, and nothing is on its way.
func (p *sharePartition) settledAll() bool {
	return len(p.inFlight) == 0 && !p.hasWaiting() && len(p.parts) == 0
}

// hasWaiting: something can be sent. Acknowledgements of a part of a batch wait for the others of it, until breakUp.
func (p *sharePartition) hasWaiting() bool { return !p.waiting.empty() || p.hasSuspects() }

// hasSuspects: some were refused together, and must be sent in parts, or were not taken, and must be sent again.
func (p *sharePartition) hasSuspects() bool { return len(p.suspects) > 0 }

// begin begins the hold, and gives it, unless the partition was only left out for a while and the hold goes on.
func (p *sharePartition) begin(topic string, brokerID, leaderEpoch int32) *Hold {
	if p.hold != nil {
		return nil
	}
	p.hold = &Hold{
		ID: holds.Add(1), Topic: topic, Partition: p.id.partition, BrokerID: brokerID, LeaderEpoch: leaderEpoch,
		OpenedAt: time.Now(), owner: p,
	}
	p.held = 0
	return p.hold
}

// lose ends the hold: nothing that was delivered on it is acknowledged any more. It gives it, if there was one.
func (p *sharePartition) lose() *Hold {
	lost := p.hold
	unsent := countOf(p.inFlight) + countOf(p.waiting.take())
	for _, ranges := range p.suspects {
		unsent += countOf(ranges)
	}
	for _, batch := range p.parts {
		unsent += int64(len(batch.settled.packed))
	}
	p.counts.lostWithSession.Add(unsent)
	p.parts = nil
	p.hold, p.held, p.suspects, p.inFlight = nil, 0, nil, nil
	if lost != nil {
		lost.lost.Store(true)
	}
	return lost
}

// settle accepts, releases or rejects a record; the first of them counts, and none counts on a hold that is over. It says
// whether there is something to send, and how many records are ready to be by that, in whole batches.
func (p *sharePartition) settle(record *Delivered, kind ackType, now time.Time) (counts bool, ready int) {
	if record.settled {
		return false, 0
	}
	record.settled = true
	if record.hold != p.hold {
		p.counts.lostWithSession.Add(1)
		return false, 0
	}
	p.held--
	batch := record.batch
	isPart := !batch.settled.empty()
	batch.settle(record.Offset, kind, now)
	switch {
	case batch.open == 0:
		if isPart {
			p.parts = slices.DeleteFunc(p.parts, func(part *acquiredBatch) bool { return part == batch })
		}
		ready = batch.giveTo(&p.waiting)
	case !isPart:
		p.parts = append(p.parts, batch)
	}
	return true, ready
}

// breakUp lets acknowledgements of parts of batches be sent.
func (p *sharePartition) breakUp() {
	for _, batch := range p.parts {
		batch.giveTo(&p.waiting)
	}
	p.parts = nil
}

func (p *sharePartition) received(taken acquired, sentAt int64) {
	p.held += len(taken.records)
	for _, record := range taken.records {
		record.fetchedAt, record.lock = sentAt, time.Duration(record.lockedUntil.Load()-sentAt)
		if record.Delivery > 1 {
			record.unavailableAt = p.shown.below(record.Offset)
		}
	}
	if n := len(taken.records); n > 0 {
		p.shown.note(sentAt, taken.records[n-1].Offset)
	}
	p.waiting.addRanges(taken.vacant)
}

// take gives what the next request shall say; it is on its way until answered.
func (p *sharePartition) take() []ackRange {
	if n := len(p.suspects); n > 0 {
		p.inFlight = p.suspects[n-1]
		p.suspects = p.suspects[:n-1]
	} else {
		p.inFlight = p.waiting.take()
	}
	return p.inFlight
}

// What the broker's answer for a partition's acknowledgements means.
type ackOutcome int

const (
	ackDone ackOutcome = iota
	ackInvalidState
	ackAgain
)

func (p *sharePartition) answered(outcome ackOutcome) {
	ranges := p.inFlight
	p.inFlight = nil
	if len(ranges) == 0 {
		return
	}
	switch outcome {
	case ackAgain:
		p.suspects = append(p.suspects, ranges)
	case ackDone:
		p.count(ranges)
	case ackInvalidState:
		head, tail := halved(ranges)
		if len(tail) > 0 {
			p.suspects = append(p.suspects, tail, head)
		} else if head[0].kind != ackGap {
			p.counts.invalidState.Add(1)
		}
	}
}

func (p *sharePartition) count(ranges []ackRange) {
	for _, one := range ranges {
		size := one.last - one.first + 1
		switch one.kind {
		case ackAccept:
			p.counts.accepted.Add(size)
		case ackRelease:
			p.counts.released.Add(size)
		case ackReject:
			p.counts.rejected.Add(size)
		}
	}
}
