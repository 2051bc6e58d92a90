package sharequeue

import (
	"context"
	"sync"
	"testing"
	"time"
)

// A fakeSource gives what is put into it, one record a poll.
type fakeSource struct {
	mu      sync.Mutex
	polling bool
	records chan *Delivered
	polls   int
}

func newFakeSource() *fakeSource { return &fakeSource{records: make(chan *Delivered, 100)} }

func (s *fakeSource) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.polling
}

func (s *fakeSource) poll(maxRecords int, maxWait time.Duration) (found []*Delivered) {
	s.mu.Lock()
	s.polling = true
	s.polls++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.polling = false
		s.mu.Unlock()
	}()
	select {
	case record := <-s.records:
		return []*Delivered{record}
	case <-time.After(maxWait):
		return nil
	}
}

func TestSourcesTakeTurnsWithASingleSlot(t *testing.T) {
	sources := []*fakeSource{newFakeSource(), newFakeSource(), newFakeSource()}
	all := func() []pollSource { return []pollSource{sources[0], sources[1], sources[2]} }
	p := newPolls(func([]*Delivered) {})
	for i, source := range sources {
		got := make(chan []*Delivered)
		go func() { got <- p.fetch(t.Context(), all, 1, time.Hour) }() // it waits in vain on all of them first
		for began := time.Now(); ; time.Sleep(time.Millisecond) {
			source.mu.Lock()
			polled := source.polls > 2*(i+1)
			source.mu.Unlock()
			if polled {
				break
			}
			if time.Since(began) > time.Minute {
				t.Fatalf("source %d is not waited on", i)
			}
		}
		source.records <- &Delivered{Offset: int64(i)}
		if records := <-got; len(records) != 1 || records[0].Offset != int64(i) {
			t.Fatalf("got %v", records)
		}
	}
}

func TestNeverMoreRecordsUnderWayThanSlots(t *testing.T) {
	sources := []*fakeSource{newFakeSource(), newFakeSource(), newFakeSource()}
	all := func() []pollSource { return []pollSource{sources[0], sources[1], sources[2]} }
	released := 0
	p := newPolls(func(records []*Delivered) { released += len(records) })
	for i := range 90 {
		sources[i%3].records <- &Delivered{}
	}
	for total := 0; total < 90; {
		records := p.fetch(t.Context(), all, 2, time.Second)
		if len(records) > 2 {
			t.Fatalf("%d records for 2 slots", len(records))
		}
		total += len(records)
	}
	if released > 0 {
		t.Errorf("%d records were given back", released)
	}
}

func TestWhatArrivesAfterTheEndIsReleased(t *testing.T) {
	source := newFakeSource()
	released := make(chan int, 10)
	p := newPolls(func(records []*Delivered) {
		if len(records) > 0 {
			released <- len(records)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		p.fetch(ctx, func() []pollSource { return []pollSource{source} }, 5, time.Hour)
		close(done)
	}()
	for source.ready() {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	source.records <- &Delivered{}
	if n := <-released; n != 1 {
		t.Errorf("%d records were given back", n)
	}
}

func TestAFetchWithTooFewSlotsForAllSourcesEndsWhenMoreAreFree(t *testing.T) {
	sources := []*fakeSource{newFakeSource(), newFakeSource(), newFakeSource()}
	all := func() []pollSource { return []pollSource{sources[0], sources[1], sources[2]} }
	p := newPolls(func([]*Delivered) {})
	got := make(chan []*Delivered)
	go func() { got <- p.fetch(t.Context(), all, 1, time.Hour) }()
	for sources[0].ready() {
		time.Sleep(time.Millisecond)
	}
	p.slotsFreed()
	if records := <-got; len(records) != 0 {
		t.Fatalf("got %v", records)
	}
	sources[1].records <- &Delivered{Offset: 7}
	if records := p.fetch(t.Context(), all, 64, time.Hour); len(records) != 1 || records[0].Offset != 7 {
		t.Fatalf("got %v", records)
	}
}
