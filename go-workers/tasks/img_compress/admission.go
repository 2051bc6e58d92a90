package img_compress

import (
	"context"
	"sync"
)

// pixelsAtOnce are worked on in a process, over all its tasks: up to 28 bytes of memory for each. A larger image is worked on alone.
const pixelsAtOnce = 25_000_000

// An admission bounds the pixels in work, so that a process stays within its memory whatever images come together.
type admission struct {
	most int64
	// turn is held by who waits first, so that a large image is not passed by small ones for ever.
	turn chan struct{}

	mu     sync.Mutex
	inWork int64
	left   chan struct{} // closed and replaced when somebody leaves
}

func newAdmission(most int64) *admission {
	return &admission{most: most, turn: make(chan struct{}, 1), left: make(chan struct{})}
}

// enter waits until there is room for so many pixels; leave gives the room back. It ends with ctx, whose cause is the error.
func (a *admission) enter(ctx context.Context, pixels int64) (leave func(), err error) {
	pixels = min(pixels, a.most)
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-a.turn }()
	for {
		a.mu.Lock()
		if a.inWork+pixels <= a.most {
			a.inWork += pixels
			a.mu.Unlock()
			return func() { a.leave(pixels) }, nil
		}
		left := a.left
		a.mu.Unlock()
		select {
		case <-left:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (a *admission) leave(pixels int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inWork -= pixels
	close(a.left)
	a.left = make(chan struct{})
}
