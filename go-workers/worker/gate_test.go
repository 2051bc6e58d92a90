package worker

import (
	"slices"
	"testing"
)

// A gateLog notes who was let in, and how often the gate opened for fetches.
type gateLog struct {
	gate
	names  map[*run]string
	inside []string
	opened int
}

func newGateLog() *gateLog {
	log := &gateLog{names: map[*run]string{}}
	log.admitted = func(r *run, waited bool) {
		name := log.names[r]
		if waited {
			name += " later"
		}
		log.inside = append(log.inside, name)
	}
	log.gate.opened = func() { log.opened++ }
	return log
}

func (log *gateLog) enters(name string, alone bool) *run {
	r := &run{alone: alone}
	log.names[r] = name
	log.enter(r)
	return r
}

func TestOneThatRunsAloneWaitsForTheOthersAndTheyForIt(t *testing.T) {
	log := newGateLog()
	a, b := log.enters("a", false), log.enters("b", false)
	alone := log.enters("alone", true)
	c := log.enters("c", false)
	if want := []string{"a", "b"}; !slices.Equal(log.inside, want) || !log.blocked() {
		t.Errorf("inside: %v", log.inside)
	}
	log.leave(a)
	log.leave(b)
	if want := []string{"a", "b", "alone later"}; !slices.Equal(log.inside, want) || !log.blocked() || log.opened != 0 {
		t.Errorf("inside: %v, opened %d times", log.inside, log.opened)
	}
	log.leave(alone)
	if want := []string{"a", "b", "alone later", "c later"}; !slices.Equal(log.inside, want) || log.blocked() || log.opened != 1 {
		t.Errorf("inside: %v, opened %d times", log.inside, log.opened)
	}
	log.leave(c)
	log.leave(c) // once is enough
	if d := log.enters("d", true); d.place != inside {
		t.Error("with nobody inside one that runs alone has to wait")
	}
}

func TestOneThatGivesUpItsPlaceHoldsNobodyBack(t *testing.T) {
	log := newGateLog()
	log.enters("a", false)
	alone := log.enters("alone", true)
	log.enters("b", false)
	log.leave(alone) // released, or cancelled
	if want := []string{"a", "b later"}; !slices.Equal(log.inside, want) || log.blocked() || log.opened != 1 {
		t.Errorf("inside: %v, opened %d times", log.inside, log.opened)
	}
}
