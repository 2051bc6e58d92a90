package worker

import (
	"context"
	"sync"
)

// slots are how many tasks of a type run at once in this process, and how many may be under way in all. A slot is free again
// when its handler has ended, not only when its outcome is on the log, so that short tasks do not wait for the broker; unsettled
// bounds how far that may run ahead.
type slots struct {
	size         int
	maxUnsettled int

	mu        sync.Mutex
	running   int
	unsettled int
	ended     int           // how often a slot has come free
	changed   chan struct{} // buffered: a slot may be free
	onFreed   func()        // called when a slot may have become free; set before anything is taken
	unused    []chan struct{}
}

func newSlots(size int) *slots {
	return &slots{size: size, maxUnsettled: max(2*size, 256), changed: make(chan struct{}, 1)}
}

func (s *slots) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// busy: more than half of the slots are taken.
func (s *slots) busy() bool { return 2*s.inUse() > s.size }

// free says how many records could be taken now.
func (s *slots) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, min(s.size-s.running, s.maxUnsettled-s.unsettled))
}

// freed says how often a slot has come free by now.
func (s *slots) freed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// tryBegin takes a slot for a record whose run begins, where one is free.
func (s *slots) tryBegin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running >= s.size || s.unsettled >= s.maxUnsettled {
		return false
	}
	s.running++
	s.unsettled++
	return true
}

// cede a slot that was taken for nothing, to whoever took it.
func (s *slots) cede() {
	s.mu.Lock()
	s.running--
	s.unsettled--
	s.mu.Unlock()
}

// lend a slot that is taken, until tryTakeBack. It wakes nobody.
func (s *slots) lend() {
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
}

// tryTakeBack takes a slot again for a record that has lent its own, where one is free.
func (s *slots) tryTakeBack() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running >= s.size {
		return false
	}
	s.running++
	return true
}

// end: its handler has ended, or was given up.
func (s *slots) end() {
	s.mu.Lock()
	s.running--
	s.ended++
	var unused []chan struct{}
	if s.running == 0 {
		unused, s.unused = s.unused, nil
	}
	s.mu.Unlock()
	for _, one := range unused {
		close(one)
	}
	s.wake()
}

// settle: it is accepted, released or dropped.
func (s *slots) settle() {
	s.mu.Lock()
	s.unsettled--
	s.mu.Unlock()
	s.wake()
}

// wake whoever waits for records to be wanted.
func (s *slots) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
	if s.onFreed != nil {
		s.onFreed()
	}
}

// untilUnused returns true when no slot is in use, false when ctx ends first.
func (s *slots) untilUnused(ctx context.Context) bool {
	s.mu.Lock()
	if s.running == 0 {
		s.mu.Unlock()
		return true
	}
	unused := make(chan struct{})
	s.unused = append(s.unused, unused)
	s.mu.Unlock()
	select {
	case <-unused:
		return true
	case <-ctx.Done():
		return false
	}
}
