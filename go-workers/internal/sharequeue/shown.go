package sharequeue

import (
	"math"
	"sync"
	"time"
)

const (
	// shownEvery: one note a second is enough, since the latest stays true.
	shownEvery = time.Second
	// maxShown: some minutes of them.
	maxShown = 300
)

// shown notes when a partition was asked, and below which offset nothing was to be had. It outlives sessions.
//
// Two answers show that: an empty one to a fetch that waited (one that did not wait proves nothing: the broker may just have
// been busy with another member), and one whose last record has a higher offset, since the lowest that are free come first.
type shown struct {
	mu    sync.Mutex
	notes []shownNote
}

type shownNote struct{ at, below int64 }

func (s *shown) note(at, below int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.notes); n > 0 && at-s.notes[n-1].at < int64(shownEvery) && s.notes[n-1].below >= below {
		return
	}
	if len(s.notes) == maxShown {
		s.notes = append(s.notes[:0], s.notes[maxShown/2:]...)
	}
	s.notes = append(s.notes, shownNote{at, below})
}

// below gives the times that hold for an offset, ascending.
func (s *shown) below(offset int64) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var times []int64
	for _, note := range s.notes {
		if offset < note.below {
			times = append(times, note.at)
		}
	}
	return times
}

// shownNothing: the answer to a fetch that waited was empty.
func (s *session) shownNothing(partitions []partitionID, sentAt int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range partitions {
		if partition := s.known[id]; partition != nil && partition.hold != nil && !s.pausedUntil[id].After(time.Now()) {
			partition.shown.note(sentAt, math.MaxInt64)
		}
	}
}

// shownOf gives the notes of partitions; there are some for each that was ever in a session.
func (q *Queue) shownOf(ids []partitionID) map[partitionID]*shown {
	q.mu.Lock()
	defer q.mu.Unlock()
	notes := map[partitionID]*shown{}
	for _, id := range ids {
		if q.shown[id] == nil {
			q.shown[id] = &shown{}
		}
		notes[id] = q.shown[id]
	}
	return notes
}
