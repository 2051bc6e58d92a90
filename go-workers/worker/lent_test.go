package worker

import (
	"slices"
	"testing"
	"time"
)

// lentFixture has two slots, both taken by runs that are being checked, of which as many as most may lend theirs.
func lentFixture(most int) (l *lentSlots, runs [2]*run, begun *[]*run) {
	begun = &[]*run{}
	l = &lentSlots{
		slots: newSlots(2), most: func() int { return most }, runs: map[*run]bool{},
		begin: func(r *run) { *begun = append(*begun, r) },
	}
	for i := range runs {
		runs[i] = &run{}
		l.slots.tryBegin()
	}
	return l, runs, begun
}

func TestLentSlotIsThereForOthers(t *testing.T) {
	l, runs, begun := lentFixture(1)
	if !l.lend(runs[0]) || l.lend(runs[1]) {
		t.Fatal("one slot is to be lent, and no more")
	}
	if !l.slots.tryBegin() || l.slots.tryBegin() {
		t.Fatal("others are to have the slot that was lent")
	}
	l.whenBack(runs[1])
	l.whenBack(runs[0])
	if !slices.Equal(*begun, []*run{runs[1]}) || l.waitingCount() != 1 {
		t.Fatal("who has kept his slot begins at once, the other one waits")
	}
	l.slots.end()
	l.giveBack()
	if !slices.Equal(*begun, []*run{runs[1], runs[0]}) || l.slots.inUse() != 2 {
		t.Fatal("who has lent his slot is to have the next one")
	}
	if l.drop(runs[0]) {
		t.Fatal("it has a slot again, and must free it")
	}
}

func TestLentSlotOfARunThatIsDropped(t *testing.T) {
	l, runs, begun := lentFixture(2)
	l.lend(runs[0])
	l.lend(runs[1])
	l.slots.tryBegin()
	l.slots.tryBegin()
	l.whenBack(runs[0])
	l.whenBack(runs[1])
	if waiting := l.waitingSince(time.Now().Add(time.Second)); !slices.Equal(waiting, runs[:]) {
		t.Fatalf("%d wait, not two", len(waiting))
	}
	if !l.drop(runs[0]) || l.drop(runs[0]) {
		t.Fatal("it is dropped once, and has no slot to free")
	}
	l.slots.end()
	l.giveBack()
	if !slices.Equal(*begun, []*run{runs[1]}) {
		t.Fatal("the next one is to have its turn")
	}
}
