package worker

import (
	"testing"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

func TestWhatIsBeingHandedOverIsGivenUpOnlyOnceThatHasEnded(t *testing.T) {
	lease := monotonicMs(time.Now()) + 60_000
	for name, end := range map[string]func(*run){
		"handed over": func(r *run) { r.leaseUntil = &lease },
		"overtaken":   func(r *run) { r.overtaken = true },
	} {
		t.Run(name, func(t *testing.T) {
			r := &run{delivered: &sharequeue.Delivered{}, lockLost: true, phase: waiting}
			again := make(chan bool)
			ask := func() {
				held, later := r.held(nil)
				if later {
					t.Error("it is to wait once more")
				}
				again <- held
			}
			r.handingOver = true
			if held, later := r.held(ask); held || !later || r.mayNotStart() {
				t.Errorf("while it is handed over: %v, %v", held, later)
			}
			r.mu.Lock()
			end(r)
			r.handOverEnded()
			r.mu.Unlock()
			if held := <-again; held != (name == "handed over") || r.mayNotStart() == held {
				t.Errorf("once that has ended: %v", held)
			}
		})
	}
}

func TestAClaimLooksForOthersFromItsStartUnlessItsLockHasPassed(t *testing.T) {
	now := monotonicMs(time.Now())
	passed, lasting := now-1, now+60_000
	for name, one := range map[string]struct {
		leaseUntil int64
		from       int64
	}{"held": {lasting, 9}, "passed": {passed, 4}} {
		t.Run(name, func(t *testing.T) {
			r := &run{delivered: &sharequeue.Delivered{}, lockLost: true, leaseUntil: &one.leaseUntil, check: &recordCheck{seenUpTo: 4}}
			r.claimedAt(9)
			if r.lookFrom != atOffset(one.from) {
				t.Errorf("it looks from %v", r.lookFrom)
			}
		})
	}
}
