package worker

import (
	"slices"
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

func TestAHandGivesItsRecordsInOrderWhileSlotsAreFree(t *testing.T) {
	var h hand
	for offset := range int64(4) {
		h.put(time.Now(), inHand{record: &sharequeue.Delivered{Offset: offset}})
	}
	slots := newSlots(2)
	var begun []int64
	for {
		one, ok := h.next(slots.tryBegin)
		if !ok {
			break
		}
		begun = append(begun, one.record.Offset)
	}
	if !slices.Equal(begun, []int64{0, 1}) || h.size() != 2 {
		t.Fatalf("began %v and has %d in hand; two slots were free", begun, h.size())
	}
	taken := h.take(func(record *sharequeue.Delivered) bool { return record.Offset == 2 })
	if len(taken) != 1 || taken[0].Offset != 2 {
		t.Fatalf("took out %d records, want the third one", len(taken))
	}
	slots.end()
	if one, ok := h.next(slots.tryBegin); !ok || one.record.Offset != 3 {
		t.Errorf("a slot came free and nothing began")
	}
	if _, ok := h.next(slots.tryBegin); ok || slots.inUse() != 2 {
		t.Errorf("began where there was nothing in hand, or took a slot for it: %d are in use", slots.inUse())
	}
}

func TestWhatIsMoreUrgentOvertakesWhatHasJustCome(t *testing.T) {
	var h hand
	came := (&sharequeue.Delivered{}).FetchedAt()
	put := func(offset int64, rank int, after time.Duration) {
		h.put(came.Add(after), inHand{record: &sharequeue.Delivered{Offset: offset}, rank: rank})
	}
	put(0, 1, 0)
	put(1, 2, 0)
	put(2, 0, overtakenWithin-1)
	put(3, 1, overtakenWithin-1)
	put(4, 0, overtakenWithin)
	var order []int64
	for {
		one, ok := h.next(func() bool { return true })
		if !ok {
			break
		}
		order = append(order, one.record.Offset)
	}
	if want := []int64{2, 0, 3, 1, 4}; !slices.Equal(order, want) {
		t.Errorf("they begin in the order %v, want %v: all came at the same moment, and the last one is put in later", order, want)
	}
}
