package worker

import (
	"slices"
	"testing"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

func TestAHandGivesItsRecordsInOrderWhileSlotsAreFree(t *testing.T) {
	var h hand
	for offset := range int64(4) {
		h.put(inHand{record: &sharequeue.Delivered{Offset: offset}})
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
