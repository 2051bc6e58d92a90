package sharequeue

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A pacedSession is a session on whose partition 0 things are settled, without the loop that would send it.
type pacedSession struct {
	*session
	partition *sharePartition
	offset    int64
}

func newPacedSession() *pacedSession {
	queue := &Queue{}
	s := &session{queue: queue, epoch: 1, wake: make(chan struct{}, 1), known: map[partitionID]*sharePartition{}}
	id := partitionID{}
	s.wanted = map[partitionID]bool{id: true}
	s.known[id] = &sharePartition{id: id, session: s, counts: &queue.counts}
	s.known[id].begin("topic", 1, 0)
	return &pacedSession{session: s, partition: s.known[id]}
}

func (s *pacedSession) settleAnother(kind ackType) {
	s.offset++
	batch := &acquiredBatch{first: s.offset, last: s.offset}
	settle(s.deliver(batch, s.offset), kind)
}

func (s *pacedSession) deliver(batch *acquiredBatch, offset int64) *Delivered {
	batch.delivered()
	return &Delivered{Offset: offset, hold: s.partition.hold, batch: batch}
}

// woken says whether the loop was told to look.
func (s *pacedSession) woken() bool {
	select {
	case <-s.wake:
		return true
	default:
		return false
	}
}

// leaving takes what leaves now, and says how many offsets that is, and whether on their own.
func (s *pacedSession) leaving() (count int64, alone bool) {
	waiting, alone := s.waiting(time.Now())
	for _, acks := range s.taken(waiting) {
		count += countOf(acks.ranges)
	}
	return count, alone
}

func (s *pacedSession) expect(t *testing.T, want int64) {
	t.Helper()
	if got, _ := s.leaving(); got != want {
		t.Fatalf("%d leave, not %d", got, want)
	}
}

func TestAcceptsGatherForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPacedSession()
		for range 2 { // the second time shows that it begins anew
			s.settleAnother(ackAccept)
			if !s.woken() {
				t.Error("the loop does not hear when the first one is due")
			}
			time.Sleep(ackLinger - time.Nanosecond)
			s.settleAnother(ackAccept)
			if s.woken() {
				t.Error("the loop is woken for what is not due")
			}
			s.expect(t, 0)
			if left := s.untilNextPauseEnds(time.Now()); left != time.Nanosecond {
				t.Errorf("the loop sleeps for %v", left)
			}
			time.Sleep(time.Nanosecond)
			s.expect(t, 2)
			s.partition.answered(ackDone)
			time.Sleep(time.Second)
		}
	})
}

func TestManyAcceptsLeaveAtOnce(t *testing.T) {
	s := newPacedSession()
	for range ackEnough - 1 {
		s.settleAnother(ackAccept)
	}
	s.expect(t, 0)
	s.woken()
	s.settleAnother(ackAccept)
	if !s.woken() {
		t.Error("the loop is not woken")
	}
	s.expect(t, ackEnough)
}

func TestWhatIsGivenBackOrRejectedLeavesAtOnceWithWhatGathers(t *testing.T) {
	for _, kind := range []ackType{ackRelease, ackReject} {
		s := newPacedSession()
		s.settleAnother(ackAccept)
		s.woken()
		s.settleAnother(kind)
		if !s.woken() {
			t.Error("the loop is not woken")
		}
		s.settleAnother(ackAccept)
		s.expect(t, 3)
	}
}

func TestAcceptsDoNotGatherWhileSomebodyWaitsForThem(t *testing.T) {
	for name, hurry := range map[string]func(*pacedSession){
		"until all is settled": func(s *pacedSession) { s.queue.settling.Add(1) },
		"to close":             func(s *pacedSession) { s.closing = true },
	} {
		s := newPacedSession()
		hurry(s)
		for range 2 {
			s.settleAnother(ackAccept)
			if !s.woken() {
				t.Errorf("%s: the loop is not woken", name)
			}
		}
		s.expect(t, 2)
	}
}

func TestHalvesOfWhatWasRefusedDoNotGather(t *testing.T) {
	s := newPacedSession()
	for range 4 {
		s.settleAnother(ackRelease)
	}
	s.expect(t, 4)
	s.partition.answered(ackInvalidState)
	s.settleAnother(ackAccept)
	for range 2 {
		if count, alone := s.leaving(); count != 2 || !alone {
			t.Fatalf("%d leave, alone: %v", count, alone)
		}
		s.partition.answered(ackDone)
	}
	s.expect(t, 0)
}

func TestWhatStaysBehindHalvesIsNotHeldUpAnew(t *testing.T) {
	s := newPacedSession()
	for range 2 {
		s.settleAnother(ackAccept)
	}
	s.settleAnother(ackRelease)
	s.expect(t, 3)
	s.partition.answered(ackAgain)
	s.settleAnother(ackRelease)
	s.expect(t, 3) // again
	s.partition.answered(ackDone)
	s.settleAnother(ackAccept)
	s.expect(t, 2)
}

func TestWholeBatchesLeaveAtOnceAndPartsAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPacedSession()
		whole, part := &acquiredBatch{first: 0, last: ackEnough - 1}, &acquiredBatch{first: 1_000, last: 1_002}
		var records []*Delivered
		for offset := range int64(ackEnough) {
			records = append(records, s.deliver(whole, offset))
		}
		rest := []*Delivered{s.deliver(part, 1_000), s.deliver(part, 1_001), s.deliver(part, 1_002)}
		for _, record := range records[1:] {
			settle(record, ackAccept)
		}
		time.Sleep(time.Millisecond)
		settle(rest[1], ackAccept)
		s.expect(t, 0)
		settle(records[0], ackAccept)
		acks := s.taken(firstOf(s.waiting(time.Now())))
		if want := []ackRange{{0, ackEnough - 1, ackAccept}}; len(acks) != 1 || !slices.Equal(acks[0].ranges, want) {
			t.Fatalf("%v leaves, not the whole batch", acks)
		}
		s.partition.answered(ackDone)
		if s.partition.settledAll() {
			t.Error("a part of a batch still waits")
		}
		time.Sleep(ackLinger - time.Nanosecond)
		s.expect(t, 0)
		if left := s.untilNextPauseEnds(time.Now()); left != time.Nanosecond {
			t.Errorf("the loop sleeps for %v", left)
		}
		time.Sleep(time.Nanosecond)
		s.expect(t, 1)
		s.partition.answered(ackDone)
		settle(rest[0], ackAccept)
		settle(rest[2], ackAccept)
		time.Sleep(ackLinger)
		s.expect(t, 2)
		s.partition.answered(ackDone)
		if !s.partition.settledAll() {
			t.Error("something still waits")
		}
	})
}

func firstOf(waiting []*sharePartition, _ bool) []*sharePartition { return waiting }

func TestABatchIsAcknowledgedByWhatBecameOfEachRecord(t *testing.T) {
	s := newPacedSession()
	batch := &acquiredBatch{first: 10, last: 13} // 12 is no record
	for i, kind := range []ackType{ackAccept, ackRelease, ackAccept} {
		_ = s.deliver(batch, []int64{10, 11, 13}[i])
		batch.settle([]int64{10, 11, 13}[i], kind, time.Now())
	}
	var waiting acknowledgements
	if count := batch.giveTo(&waiting); count != 3 || batch.open != 0 {
		t.Errorf("%d are given on, %d are open", count, batch.open)
	}
	want := []ackRange{{10, 10, ackAccept}, {11, 11, ackRelease}, {13, 13, ackAccept}}
	if got := waiting.take(); !slices.Equal(got, want) {
		t.Errorf("it says %v, want %v", got, want)
	}
}

func TestAnAcquisitionIsOfWholeBatchesWhereOneFits(t *testing.T) {
	for _, test := range []struct {
		maxRecords, batchRecords int
		want                     acquisition
	}{
		{499, 500, acquisition{recordLimitMode, 499, 499}},
		{0, 500, acquisition{recordLimitMode, 0, 1}},
		{500, 500, acquisition{batchesMode, 1, 500}},
		{1_200, 500, acquisition{batchesMode, 701, 500}},
		{5_000, 0, acquisition{recordLimitMode, 5_000, 5_000}},
	} {
		if got := acquisitionOf(test.maxRecords, test.batchRecords); got != test.want {
			t.Errorf("%d of batches of %d: %v, want %v", test.maxRecords, test.batchRecords, got, test.want)
		}
	}
}
