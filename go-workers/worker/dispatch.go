package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/protocol"
	"github.com/taskflow-hub/taskflow-hub/go-workers/internal/sharequeue"
)

// A dispatch brings the records of a type's queues to its free slots, and asks for nothing while there is none.
type dispatch struct {
	lane *lane
	// wantsSince is since when there has been a free slot without a break; progress is judged from there.
	wantsSince atomic.Pointer[time.Time]
	done       chan struct{}
}

func startDispatch(ctx context.Context, lane *lane) *dispatch {
	d := &dispatch{lane: lane, done: make(chan struct{})}
	d.wanting()
	go d.run(ctx)
	return d
}

func (d *dispatch) wanting() {
	now := time.Now()
	d.wantsSince.Store(&now)
}

func (d *dispatch) run(ctx context.Context) {
	defer close(d.done)
	failures := 0
	for round := 0; ctx.Err() == nil; round++ {
		free := d.lane.slots.free()
		if free == 0 {
			free = d.lane.slots.untilFree(ctx)
			d.wanting()
			if free == 0 {
				return
			}
		}
		// The pause of a type (PROTOCOL.md, "Pause") is to wait here.
		records, err := d.lane.queues.fetch(ctx, protocol.FetchOrder(round), free)
		if len(records) > 0 {
			d.lane.take(records)
		}
		if err == nil {
			failures = 0
			continue
		}
		if errors.Is(err, sharequeue.ErrClosed) {
			return
		}
		failures++
		pause := time.Duration(rand.Float64() * float64(min(2*time.Second, 50*time.Millisecond<<min(failures, 10))))
		d.lane.logger.Warn("the queues could not be read; trying again", "error", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}
