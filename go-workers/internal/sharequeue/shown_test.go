package sharequeue

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestShownNotesWhatWasNotToBeHad(t *testing.T) {
	second := int64(time.Second)
	var notes shown
	notes.note(1*second, 10)
	notes.note(3*second, 20)
	notes.note(5*second, math.MaxInt64)
	for offset, want := range map[int64][]int64{
		5: {1 * second, 3 * second, 5 * second}, 10: {3 * second, 5 * second}, 25: {5 * second},
	} {
		if times := notes.below(offset); !slices.Equal(times, want) {
			t.Errorf("offset %d was not to be had at %v, want %v", offset, times, want)
		}
	}
}

func TestShownKeepsOneNoteASecondAndSomeMinutesOfThem(t *testing.T) {
	var notes shown
	for at := range int64(10_000) {
		notes.note(at*int64(100*time.Millisecond), math.MaxInt64)
	}
	times := notes.below(0)
	if len(times) > maxShown || len(times) < maxShown/2 || times[len(times)-1] < 9_980*int64(100*time.Millisecond) {
		t.Errorf("%d notes, the last at %v", len(times), time.Duration(times[len(times)-1]))
	}
	// A higher offset tells more, however soon it comes.
	notes = shown{}
	notes.note(0, 10)
	notes.note(1, 20)
	if times := notes.below(15); !slices.Equal(times, []int64{1}) {
		t.Errorf("offset 15: %v", times)
	}
}
