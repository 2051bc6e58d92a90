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
