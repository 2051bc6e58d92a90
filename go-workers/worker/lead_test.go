package worker

import (
	"testing"
	"time"
)

// A leadLoad is a worker whose fetches each take so long, ask for four records, and leave at once one after the other.
type leadLoad struct {
	slots       int
	freedPerMs  float64
	took        time.Duration
	given       int
	slowedSince time.Duration // after so long nothing comes free any more
}

func (load leadLoad) lead() *lead {
	began := time.Unix(0, 0)
	l := newLead(load.slots, began)
	for after := load.took; after <= 2*time.Second; after += load.took {
		until := after
		if load.slowedSince > 0 {
			until = min(after, load.slowedSince)
		}
		freed := int(until.Seconds() * 1_000 * load.freedPerMs)
		l.answered(4, load.given, load.took, freed, began.Add(after))
	}
	return l
}

func TestALeadIsWhatComesFreeUntilAnAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		load          leadLoad
		records, step int
	}{
		"and in ten milliseconds more":           {leadLoad{slots: 64, freedPerMs: 0.42, took: 5 * time.Millisecond, given: 4}, 6, 3},
		"grows with what a fetch takes":          {leadLoad{slots: 64, freedPerMs: 0.42, took: 20 * time.Millisecond, given: 4}, 12, 4},
		"none where slots come free seldom":      {leadLoad{slots: 64, freedPerMs: 0.06, took: 5 * time.Millisecond, given: 4}, 0, 1},
		"half of the slots at most":              {leadLoad{slots: 64, freedPerMs: 20, took: 5 * time.Millisecond, given: 4}, 32, 16},
		"none of a single slot":                  {leadLoad{slots: 1, freedPerMs: 20, took: 5 * time.Millisecond, given: 4}, 0, 1},
		"also where the queues gave a half":      {leadLoad{slots: 64, freedPerMs: 0.42, took: 5 * time.Millisecond, given: 2}, 6, 3},
		"none where they gave less":              {leadLoad{slots: 64, freedPerMs: 0.42, took: 5 * time.Millisecond, given: 1}, 0, 1},
		"none soon after tasks begin to last on": {leadLoad{slots: 64, freedPerMs: 0.42, took: 5 * time.Millisecond, given: 4, slowedSince: 1_500 * time.Millisecond}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := test.load.lead()
			if l.records() != test.records || l.step() != test.step {
				t.Errorf("%d records and a step of %d, want %d and %d", l.records(), l.step(), test.records, test.step)
			}
		})
	}
	if l := newLead(64, time.Now()); l.records() != 0 || l.step() != 1 {
		t.Errorf("%d records and a step of %d before the first answer", l.records(), l.step())
	}
}
