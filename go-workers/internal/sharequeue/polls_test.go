package sharequeue

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeSource gives what is put into it, one record a poll.
type fakeSource struct {
	mu      sync.Mutex
	polling bool
	records chan *Delivered
	polls   int
	// waits of the polls, in their order.
	waits   []time.Duration
	holding bool
}

func newFakeSource() *fakeSource { return &fakeSource{records: make(chan *Delivered, 100)} }

func (s *fakeSource) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.polling
}

func (s *fakeSource) holds() bool { return s.holding }

func (s *fakeSource) poll(maxRecords int, maxWait time.Duration) (found []*Delivered) {
	s.mu.Lock()
	s.polling = true
	s.polls++
	s.waits = append(s.waits, maxWait)
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

// An asked is what a stockedSource was asked for.
type asked struct {
	maxRecords int
	maxWait    time.Duration
}

// A stockedSource answers after a while with as many as it has of what it is asked for.
type stockedSource struct {
	topic    string
	stock    int
	answerIn time.Duration
	asked    []asked
	polling  atomic.Bool
}

func (s *stockedSource) holds() bool { return false }

func (s *stockedSource) ready() bool { return !s.polling.Load() }

func (s *stockedSource) poll(maxRecords int, maxWait time.Duration) []*Delivered {
	s.asked = append(s.asked, asked{maxRecords, maxWait})
	s.polling.Store(true)
	time.Sleep(s.answerIn)
	records := make([]*Delivered, min(s.stock, maxRecords))
	s.stock -= len(records)
	for i := range records {
		records[i] = &Delivered{Topic: s.topic}
	}
	s.polling.Store(false)
	return records
}

func TestWhatAQueueGaveDoesNotWaitForEmptyOnesBesideIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		high := &stockedSource{topic: "high", answerIn: 4 * time.Millisecond}
		normal := &stockedSource{topic: "normal", stock: 99, answerIn: 5 * time.Millisecond}
		low := &stockedSource{topic: "low", stock: 9, answerIn: 6 * time.Millisecond}
		all := func() []pollSource { return []pollSource{high, normal, low} }
		p := newPolls(func([]*Delivered) {})
		fetched := func(want map[string]int, within time.Duration) {
			t.Helper()
			high.asked, normal.asked, low.asked = nil, nil, nil
			began, got := time.Now(), map[string]int{}
			for _, record := range p.fetch(t.Context(), all, 64, time.Minute) {
				got[record.Topic]++
			}
			if took := time.Since(began); !maps.Equal(got, want) || took != within {
				t.Fatalf("got %v in %v, want %v in %v", got, took, want, within)
			}
		}
		fetched(map[string]int{"normal": 64}, 9*time.Millisecond)
		time.Sleep(emptyFor)
		fetched(map[string]int{"normal": 35}, 5*time.Millisecond)
		synctest.Wait()
		for source, want := range map[*stockedSource]asked{high: {2, 0}, normal: {62, busyWait}, low: {29, 0}} {
			if !slices.Equal(source.asked, []asked{want}) {
				t.Errorf("%s was asked for %v, not %v", source.topic, source.asked, want)
			}
		}
		normal.stock = 5
		fetched(map[string]int{"normal": 5}, 5*time.Millisecond)
		if len(high.asked) > 0 {
			t.Errorf("what was just empty was asked for %v", high.asked)
		}
		time.Sleep(low.answerIn)
		synctest.Wait()
		fetched(map[string]int{"low": 9}, 0)
	})
}

func TestPollsAreShorterWhileRecordsAreHeld(t *testing.T) {
	for holding, want := range map[bool]time.Duration{false: longestPoll, true: longestPollWhileHolding} {
		synctest.Test(t, func(t *testing.T) {
			asked, other := newFakeSource(), newFakeSource()
			other.holding = holding
			p := newPolls(func([]*Delivered) {})
			p.fetch(t.Context(), func() []pollSource { return []pollSource{asked, other} }, 100, 2*time.Second)
			time.Sleep(time.Second) // for polls that outlast the fetch
			if got := slices.Max(asked.waits); got != want {
				t.Errorf("the longest poll while records are held (%t) waits for %v, want %v", holding, got, want)
			}
		})
	}
}

func TestThreeSourcesTakeTurnsWithTwoSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sources := []*fakeSource{newFakeSource(), newFakeSource(), newFakeSource()}
		p := newPolls(func([]*Delivered) {})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p.fetch(ctx, func() []pollSource { return []pollSource{sources[0], sources[1], sources[2]} }, 2, time.Hour)
		time.Sleep(turn) // for polls that outlast the fetch
		for i, source := range sources {
			// Two of three wait at any moment, for 50 ms each, in a second: thirteen.
			if source.polls < 10 {
				t.Errorf("source %d was asked %d times", i, source.polls)
			}
		}
	})
}
