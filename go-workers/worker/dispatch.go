package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

const (
	// fetchIntervalARecord: what a fetch finds in queues that are as good as empty is all that came since the one before. The next one then
	// leaves no sooner than this for each of those records, at most longestFetchInterval after it. Where tasks come in thousands a second
	// those of 10 ms come together, for a fetch costs the broker and this process as much as dozens of records.
	fetchIntervalARecord = time.Millisecond
	longestFetchInterval = 10 * time.Millisecond
)

// A dispatch brings the records of a type's queues to its free slots, and where slots come free all the time a few ahead of them. It
// asks for nothing while the type is paused, or while a run has the process for itself.
type dispatch struct {
	lane *lane
	done chan struct{}

	mu sync.Mutex
	// wantsSince is since when records have been asked for without a break; progress is judged from there. Zero: nothing is asked for.
	wantsSince time.Time
	// asking ends the fetch that is under way.
	asking context.CancelFunc
}

func startDispatch(ctx context.Context, lane *lane) *dispatch {
	d := &dispatch{lane: lane, done: make(chan struct{})}
	lane.slots.onFreed = func() {
		lane.lent.giveBack()
		lane.takeFromHand()
		if lane.slots.free() > 0 {
			lane.queues.set.SlotsFreed()
		}
	}
	go d.run(ctx)
	return d
}

// paused: the type is not to be fetched any more. What arrives afterwards is given back.
func (d *dispatch) paused() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asking != nil {
		d.asking()
	}
}

// wants says since when records have been asked for; zero where they are not.
func (d *dispatch) wants() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wantsSince
}

func (d *dispatch) run(ctx context.Context) {
	defer close(d.done)
	failures, round := 0, 0
	asking := ctx
	for ctx.Err() == nil {
		wanted := d.wanted()
		if wanted == 0 {
			d.mu.Lock()
			d.wantsSince = time.Time{}
			d.mu.Unlock()
			select {
			case <-d.lane.slots.changed:
			case <-ctx.Done():
			}
			continue
		}
		d.mu.Lock()
		if d.wantsSince.IsZero() {
			d.wantsSince = time.Now()
		}
		if d.asking == nil || asking.Err() != nil {
			asking, d.asking = context.WithCancel(ctx)
		}
		d.mu.Unlock()
		askedAt := time.Now()
		records, err := d.lane.queues.fetch(asking, protocol.FetchOrder(round), wanted)
		now := time.Now()
		d.lane.lead.answered(wanted, len(records), now.Sub(askedAt), d.lane.slots.freed(), now)
		round++
		if len(records) > 0 {
			d.lane.take(records)
		}
		if err == nil {
			failures = 0
			if wait := fetchInterval(wanted, len(records)) - time.Since(askedAt); wait > 0 && !d.lane.slots.busy() {
				pause(ctx, wait)
			}
			continue
		}
		if errors.Is(err, sharequeue.ErrClosed) {
			return
		}
		failures++
		wait := time.Duration(rand.Float64() * float64(min(2*time.Second, 50*time.Millisecond<<min(failures, 10))))
		d.lane.logger.Warn("the queues could not be read; trying again", "error", err, "pause", wait)
		pause(ctx, wait)
	}
}

// wanted says how many records to ask for now: none while all slots are taken, and a few records are in hand for the next ones.
func (d *dispatch) wanted() int {
	worker := d.lane.worker
	if worker.gate.blocked() || worker.options.Control.isPaused(d.lane.definition.Type) {
		return 0
	}
	slots, held := d.lane.slots, d.lane.inHand()
	free := slots.free()
	if !slots.busy() {
		return max(0, free-held)
	}
	wanted := free + d.lane.lead.records() - held
	if wanted < d.lane.lead.step() && (free == 0 || wanted < 1) {
		return 0
	}
	return wanted
}

// fetchInterval from the start of a fetch to that of the next one, at least. None where slots may be free while records wait.
func fetchInterval(asked, given int) time.Duration {
	if 2*given >= asked {
		return 0
	}
	return min(longestFetchInterval, time.Duration(given)*fetchIntervalARecord)
}
