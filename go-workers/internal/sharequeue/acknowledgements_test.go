package sharequeue

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTakeMergesNeighboursOfOneKind(t *testing.T) {
	var a acknowledgements
	for _, offset := range []int64{7, 5, 6, 9} {
		a.add(offset, ackAccept)
	}
	a.add(10, ackRelease)
	a.addRanges([]ackRange{{8, 8, ackGap}, {11, 20, ackRelease}})
	want := []ackRange{{5, 7, ackAccept}, {8, 8, ackGap}, {9, 9, ackAccept}, {10, 20, ackRelease}}
	if got := a.take(); !slices.Equal(got, want) {
		t.Errorf("take() = %v, want %v", got, want)
	}
	if !a.empty() || len(a.take()) != 0 {
		t.Error("something still waits after take")
	}
}

func TestTakeLetsTheLowestKindOfAnOffsetCount(t *testing.T) {
	var a acknowledgements
	a.add(3, ackRenew)
	a.add(3, ackRelease)
	a.add(3, ackAccept)
	if got, want := a.take(), []ackRange{{3, 3, ackAccept}}; !slices.Equal(got, want) {
		t.Errorf("take() = %v, want %v", got, want)
	}
}

func TestHalvedKeepsEveryOffset(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var a acknowledgements
		for range 1 + random.IntN(20) {
			a.add(random.Int64N(40), ackType(1+random.IntN(3)))
		}
		ranges := a.take()
		count := countOf(ranges)
		head, tail := halved(ranges)
		if countOf(head)+countOf(tail) != count || countOf(head)-countOf(tail) > 1 || countOf(head) < countOf(tail) {
			t.Fatalf("halved(%v) = %v, %v", ranges, head, tail)
		}
		if rejoined := joined(append(slices.Clone(head), tail...)); !slices.Equal(rejoined, ranges) {
			t.Fatalf("halved(%v) joined again = %v", ranges, rejoined)
		}
	}
}
